//! Group policy templates (ADMX and ADML) and the page for people, made of the one table.

use std::fmt::Write;

use crate::{KEYS, Key, Kind};

/// What of the brand stands in the templates.
#[derive(Debug, Clone, Copy)]
pub struct Brand<'a> {
    /// As people read it; also the key below `Software\Policies`.
    pub name: &'a str,
    /// Name of the files and of the namespace's last part.
    pub program: &'a str,
    /// Identifier in reverse domain notation.
    pub identifier: &'a str,
}

/// Whether users may choose otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    Locked,
    Preset,
}

const GRADES: [Grade; 2] = [Grade::Locked, Grade::Preset];

impl Grade {
    fn suffix(self) -> &'static str {
        match self {
            Self::Locked => "",
            Self::Preset => "_recommended",
        }
    }

    fn registry(self, brand: &Brand<'_>) -> String {
        match self {
            Self::Locked => format!("Software\\Policies\\{}", brand.name),
            Self::Preset => format!("Software\\Policies\\{}\\Recommended", brand.name),
        }
    }
}

/// The template: `PolicyDefinitions\PROGRAM.admx`.
pub fn admx(brand: &Brand<'_>) -> String {
    let Brand { program, identifier, .. } = brand;
    let mut policies = String::new();
    for grade in GRADES {
        KEYS.iter().for_each(|key| policy(&mut policies, brand, key, grade));
    }
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<policyDefinitions xmlns="http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions" revision="1.0" schemaVersion="1.0">
  <policyNamespaces>
    <target prefix="{program}" namespace="{identifier}.policies"/>
    <using prefix="windows" namespace="Microsoft.Policies.Windows"/>
  </policyNamespaces>
  <resources minRequiredRevision="1.0"/>
  <supportedOn>
    <definitions>
      <definition name="SUPPORTED_WIN10" displayName="$(string.SUPPORTED_WIN10)"/>
    </definitions>
  </supportedOn>
  <categories>
    <category name="{program}" displayName="$(string.product)"/>
    <category name="{program}_recommended" displayName="$(string.product_recommended)">
      <parentCategory ref="{program}"/>
    </category>
  </categories>
  <policies>
{policies}  </policies>
</policyDefinitions>
"#
    )
}

fn policy(to: &mut String, brand: &Brand<'_>, key: &Key, grade: Grade) {
    let Brand { program, .. } = brand;
    let (name, suffix, registry) = (key.key, grade.suffix(), escaped(&grade.registry(brand)));
    let id = format!("{name}{suffix}");
    let presentation = match key.kind {
        Kind::Flag => String::new(),
        _ => format!(" presentation=\"$(presentation.{name})\""),
    };
    let value = match key.kind {
        Kind::Flag => format!(" valueName=\"{name}\""),
        _ => String::new(),
    };
    let _ = write!(
        to,
        "    <policy name=\"{id}\" class=\"Machine\" displayName=\"$(string.{name})\" \
         explainText=\"$(string.{name}_help)\"{presentation} key=\"{registry}\"{value}>\n      \
         <parentCategory ref=\"{program}{suffix}\"/>\n      <supportedOn ref=\"SUPPORTED_WIN10\"/>\n"
    );
    match key.kind {
        Kind::Flag => {
            let _ = write!(
                to,
                "      <enabledValue><decimal value=\"1\"/></enabledValue>\n      \
                 <disabledValue><decimal value=\"0\"/></disabledValue>\n"
            );
        }
        Kind::Text => {
            let _ = write!(
                to,
                "      <elements>\n        <text id=\"{name}\" valueName=\"{name}\" required=\"true\"/>\n      \
                 </elements>\n"
            );
        }
        Kind::Choice(words) => {
            let _ = write!(
                to,
                "      <elements>\n        <enum id=\"{name}\" valueName=\"{name}\" required=\"true\">\n"
            );
            for word in words {
                let _ = writeln!(
                    to,
                    "          <item displayName=\"$(string.{name}_{word})\">\
                     <value><string>{word}</string></value></item>"
                );
            }
            to.push_str("        </enum>\n      </elements>\n");
        }
        Kind::Choices(_) | Kind::Texts => {
            let _ = write!(
                to,
                "      <elements>\n        <multiText id=\"{name}\" valueName=\"{name}\" required=\"true\"/>\n      \
                 </elements>\n"
            );
        }
    }
    to.push_str("    </policy>\n");
}

/// Its words: `PolicyDefinitions\en-US\PROGRAM.adml`.
pub fn adml(brand: &Brand<'_>) -> String {
    let name = escaped(brand.name);
    let mut strings = String::new();
    let mut presentations = String::new();
    for key in KEYS {
        let (id, title, mut help) = (key.key, escaped(key.title), escaped(key.help));
        if let Kind::Choices(words) = key.kind {
            let _ = write!(help, " One a line, of: {}.", words.join(", "));
        }
        if key.kind == Kind::Texts {
            help.push_str(" One a line.");
        }
        let _ = write!(
            strings,
            "      <string id=\"{id}\">{title}</string>\n      <string id=\"{id}_help\">{help}</string>\n"
        );
        if let Kind::Choice(words) = key.kind {
            for word in words {
                let _ = writeln!(strings, "      <string id=\"{id}_{word}\">{word}</string>");
            }
        }
        let element = match key.kind {
            Kind::Flag => continue,
            Kind::Text => format!("<textBox refId=\"{id}\"><label>{title}</label></textBox>"),
            Kind::Choice(_) => format!("<dropdownList refId=\"{id}\" noSort=\"true\">{title}</dropdownList>"),
            Kind::Choices(_) | Kind::Texts => {
                format!(
                    "<multiTextBox refId=\"{id}\" showAsDialog=\"false\" defaultHeight=\"4\">{title}</multiTextBox>"
                )
            }
        };
        let _ = writeln!(presentations, "      <presentation id=\"{id}\">{element}</presentation>");
    }
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<policyDefinitionResources xmlns="http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions" revision="1.0" schemaVersion="1.0">
  <displayName>{name}</displayName>
  <description>{name}</description>
  <resources>
    <stringTable>
      <string id="product">{name}</string>
      <string id="product_recommended">{name}: presets (users may choose otherwise)</string>
      <string id="SUPPORTED_WIN10">Windows 10 and later</string>
{strings}    </stringTable>
    <presentationTable>
{presentations}    </presentationTable>
  </resources>
</policyDefinitionResources>
"#
    )
}

/// The page for people, Markdown.
pub fn page(brand: &Brand<'_>) -> String {
    let Brand { name, program, .. } = brand;
    let mut rows = String::new();
    for key in KEYS {
        let kind = match key.kind {
            Kind::Text => "text".to_owned(),
            Kind::Flag => "`true`, `false`".to_owned(),
            Kind::Choice(words) => words.map_words(),
            Kind::Choices(words) => format!("list of {}", words.map_words()),
            Kind::Texts => "list of texts".to_owned(),
        };
        let _ = writeln!(rows, "| `{}` | {kind} | {} | `{}` |", key.key, key.help, key.example);
    }
    format!(
        "# Policy\n\n\
         What an administrator settles for every user of a machine. Each key is *preset*, so that it holds until a user \
         chooses otherwise, or *locked*, so that it holds and is shown as locked. This page and the templates beside it \
         are generated (`UPDATE_POLICY=1 cargo test -p policy`).\n\n\
         Where two say something of the same thing, the policy goes before what the PBX settles for its users (QR code, \
         profile file), and that before what the user has chosen.\n\n\
         - **Linux**: `/etc/{program}/policy.toml`\n\
         - **macOS**: `/Library/Application Support/{name}/policy.toml`\n\
         - **Windows**: `HKEY_LOCAL_MACHINE\\Software\\Policies\\{name}` for what is locked, and below it \
         `Recommended` for what is preset; lists are `REG_MULTI_SZ`, yes and no `REG_DWORD`. `{program}.admx` and \
         `en-US/{program}.adml` go into the central store's `PolicyDefinitions`.\n\n\
         A key that cannot be meant is left out and the others hold; a file that cannot be read settles nothing. Either \
         is told in the log and in the settings. The policy is read when the phone starts.\n\n\
         ```toml\n[locked]\nserver = \"pbx.example.com\"\nsrtp = \"require\"\n\n[preset]\nautostart = true\n```\n\n\
         | key | is | what comes of it | example |\n|---|---|---|---|\n{rows}"
    )
}

trait Words {
    fn map_words(&self) -> String;
}

impl Words for [&str] {
    fn map_words(&self) -> String {
        self.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
