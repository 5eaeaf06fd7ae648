-- What runs used, and how much they may use.

