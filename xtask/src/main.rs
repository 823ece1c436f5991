//! `cargo xtask demo | test | bench | gallery | brand | msi | deb | appimage | check-macos | release | judges | fuzz`: everything that is done with the project as a whole.

mod appimage;
mod asterisk;
mod bench;
mod brand;
mod build;
mod contents;
mod deb;
mod demo;
mod fuzz;
mod judges;
mod libraries;
mod machine;
mod macos;
mod msi;
mod release;
mod report;
mod shell;
mod sign;
mod smaller;
mod test;
mod tools;
mod tree;
mod ui;
mod windows;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask demo [--headless]   start a demo PBX and the phone beside it
cargo xtask test [fast]         run all tests; fast: without foreign peers and windows
cargo xtask bench [NAME...]     measure: registration, call, sip, delay, codecs, cost, echo, window, qr (all without a name)
cargo xtask bench voice [--cells CELL,...] [--phones NAME,...] [--codecs NAME,...] [--seeds N | A..B] [--only-table]
                                measure the voice on bad networks beside other phones: hours, or the parts asked for
cargo xtask bench loss [CELL...]
                                measure the voice path alone over simulated loss, without network or other phones
cargo xtask brand NAME [--debug]
                                build the product as the brand in brand/NAME, into target/brand/NAME
cargo xtask msi [BRAND] [--webview2 FILE]
                                build the packages for Windows, into target/packages; with Microsoft's bootstrapper of
                                WebView2 they bring that along
cargo xtask deb [BRAND]         build the package for Debian and its like, into target/packages
cargo xtask appimage [BRAND] [--as-built FOLDER]
                                build one file for any Linux, into target/packages; of programs already in FOLDER
cargo xtask check-macos         whether the programs type-check for macOS, wherever this runs
cargo xtask release [BRAND] URL
                                say what was packed, for phones that look for newer versions at this address
cargo xtask gallery [SCENE...]  a picture of every screen and state, and a page of them, into tests/output/ui
cargo xtask judges              have two foreign PBXs judge every operation, and write the README's table
cargo xtask fuzz [TARGET] [SECONDS]
                                feed a fuzz target, or all of them, for 600 seconds or as many as said
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::run(false),
        ["demo", "--headless"] => demo::run(true),
        ["test"] => test::run(false),
        ["test", "fast"] => test::run(true),
        ["bench", names @ ..] => bench::run(names),
        ["brand", name] => brand::run(name, false),
        ["brand", name, "--debug"] | ["brand", "--debug", name] => brand::run(name, true),
        ["msi"] => msi::run("carillon", None),
        ["msi", "--for-tests"] => msi::for_tests(windows::Profile::Trial, false).map(|()| true),
        ["msi", "--for-tests", "--release"] => {
            msi::for_tests(windows::Profile::Release, false).map(|()| true)
        }
        ["msi", "--for-tests", "--as-built"] => msi::for_tests(windows::Profile::Trial, true).map(|()| true),
        ["msi", "--webview2", file] => msi::run("carillon", Some(file)),
        ["msi", brand, "--webview2", file] | ["msi", "--webview2", file, brand] => {
            msi::run(brand, Some(file))
        }
        ["msi", brand] => msi::run(brand, None),
        ["check-macos"] => macos::check().map(|()| true),
        ["deb"] => deb::run("carillon"),
        ["deb", "--for-tests"] => deb::for_tests().map(|()| true),
        ["deb", brand] => deb::run(brand),
        ["appimage"] => appimage::run("carillon", None),
        ["appimage", "--for-tests"] => appimage::for_tests().map(|()| true),
        ["appimage", "--as-built", folder] => appimage::run("carillon", Some(folder)),
        ["appimage", brand, "--as-built", folder] => appimage::run(brand, Some(folder)),
        ["appimage", brand] => appimage::run(brand, None),
        ["release", from] => release::run("carillon", from),
        ["release", brand, from] => release::run(brand, from),
        ["gallery", scenes @ ..] => ui::gallery(scenes),
        ["judges"] => judges::run(),
        ["fuzz"] => fuzz::run(None, fuzz::USUAL),
        ["fuzz", name] => fuzz::run(Some(name), fuzz::USUAL),
        ["fuzz", name, seconds] if let Ok(seconds) = seconds.parse() => fuzz::run(Some(name), seconds),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(true)
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
