//! Prints the description of the public surface, from which the types of each language are generated.
#![allow(clippy::print_stdout)]

fn main() {
    println!("{:#}", xynergy_bindings::description::describe());
}
