//! A codec-proxy with four codecs of a laboratory: `cargo run --example lab_codecs -- codecs`.

mod csv;
mod packed_bits;
mod spike_train;
mod versioned;

fn main() -> std::process::ExitCode {
    codec_proxy::cli::main()
}
