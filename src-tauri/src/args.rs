use std::path::PathBuf;

use clap::Parser;

/// The softphone with a window.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "carillon", version)]
pub struct Args {
    /// Directory of the settings, in place of the user's own
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// SIP domain that the sign-in offers
    #[arg(long, default_value = "")]
    pub domain: String,
    /// Server that the sign-in offers
    #[arg(long, value_name = "HOST[:PORT]", default_value = "")]
    pub server: String,
}
