//! The load generator; everything is in the library.

fn main() -> std::process::ExitCode {
    loadtest::cli::main()
}
