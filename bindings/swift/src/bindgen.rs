//! Writes the Swift side of the native library.

fn main() {
    uniffi::uniffi_bindgen_main();
}
