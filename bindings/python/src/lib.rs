//! The native module: a thin skin over `xynergy-bindings`.
