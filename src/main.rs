//! The `codec-proxy` binary: a thin door to [`codec_proxy::cli`].

fn main() -> std::process::ExitCode {
    codec_proxy::cli::main()
}
