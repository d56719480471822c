//! The program: arguments in, one call out.

fn main() -> std::process::ExitCode {
    lockerd::cli::run()
}
