//! Writes the brand that `CARILLON_BRAND` names down as Rust.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use brand_file::{Brand, FieldIs, Preset, Updates, Way};

/// The brand of a build that names none.
const DEFAULT: &str = "carillon";

fn main() -> io::Result<()> {
    let name = env::var("CARILLON_BRAND").unwrap_or_else(|_| DEFAULT.to_owned());
    let folder = Path::new("../../brand").join(&name);
    println!("cargo:rerun-if-env-changed=CARILLON_BRAND");
    println!("cargo:rerun-if-changed={}", folder.display());
    let brand = brand_file::read(&folder).map_err(io::Error::other)?;
    let out = env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    fs::write(out.join("brand.rs"), written(&brand))
}

fn written(brand: &Brand) -> String {
    let Brand { name, identifier, program, scheme, keychain, user_agent, links, updates, sign_in, .. } =
        brand;
    let cli_program = format!("{program}-cli");
    let has = |way| sign_in.ways.contains(&way);
    let (password, microsoft) = (has(Way::Password), has(Way::Microsoft));
    let (qr, sip) = (has(Way::Qr), has(Way::Sip));
    let (website, help, privacy) = (&links.website, &links.help, &links.privacy);
    let (domain, server) = (preset(&sign_in.domain), preset(&sign_in.server));
    let updates = updates.as_ref().map_or("None".to_owned(), |Updates { manifest, key }| {
        format!("Some(Updates {{ manifest: {manifest:?}, key: {key:?} }})")
    });
    format!(
        "Brand {{ name: {name:?}, identifier: {identifier:?}, program: {program:?}, cli_program: {cli_program:?}, scheme: {scheme:?}, \
         keychain: {keychain:?}, user_agent: {user_agent:?}, \
         links: Links {{ website: {website:?}, help: {help:?}, privacy: {privacy:?} }}, \
         updates: {updates}, \
         ways: Ways {{ password: {password}, microsoft: {microsoft}, qr: {qr}, sip: {sip} }}, \
         domain: {domain}, server: {server} }}\n"
    )
}

fn preset(preset: &Preset) -> String {
    let is = match preset.is {
        FieldIs::Free => "Free",
        FieldIs::Fixed => "Fixed",
        FieldIs::Hidden => "Hidden",
    };
    format!("Preset {{ value: {:?}, is: FieldIs::{is} }}", preset.value)
}
