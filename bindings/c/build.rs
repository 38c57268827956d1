//! Tells the linker the name that the shared library is installed under, with the number of its interface.

/// As `FTUSEG_ABI_VERSION` in `src/version.rs`; the tests hold the two together.
const ABI: &str = "1";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let name = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "freebsd" | "netbsd" | "openbsd") => format!("-soname,libftuseg.so.{ABI}"),
        Ok("macos") => format!("-install_name,@rpath/libftuseg.{ABI}.dylib"),
        _ => return,
    };
    println!("cargo::rustc-cdylib-link-arg=-Wl,{name}");
}
