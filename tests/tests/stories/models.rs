//! Models of every wire format drive the native agent.
