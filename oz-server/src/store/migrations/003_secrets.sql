-- Secrets, the keys of the vault, and who used what when.

