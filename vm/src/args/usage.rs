//! The texts that list flags, made from the table.

use std::fmt::Write;

#[cfg(test)]
use super::table::Effect;
use super::table::{FLAGS, Flag, FlagClass, Launch, OWN_OPTIONS, Since};

/// The launcher's usage text.
pub fn launcher() -> String {
    let mut text = String::from("Usage: erl");
    for flag in FLAGS
        .iter()
        .filter(|flag| flag.class == FlagClass::Launcher)
    {
        let _ = write!(text, " [{}]", with_argument(flag));
    }
    text.push_str(" [+FLAG [VALUE]]... [ARGUMENT]...\n");
    text
}

/// The emulator's usage text, for a program name and a runtime version.
pub fn emulator(program: &[u8], since: Since) -> String {
    let mut text = format!(
        "Usage: {} [flags] [ -- [init_args] ]\nThe flags are:\n\n",
        String::from_utf8_lossy(program)
    );
    let flags = FLAGS
        .iter()
        .filter(|flag| flag.class == FlagClass::Emulator && flag.exists_in(since));
    for flag in flags {
        let left = with_argument(flag).replacen('+', "-", 1);
        let _ = writeln!(text, "{left:<26} {}", flag.meaning);
    }
    text.push_str("\nOn erl's own command line they start with + instead of -.\n\n\n");
    text
}

/// What `enigma --help` prints.
pub fn enigma() -> String {
    let mut text = String::from(
        "Usage: enigma [OPTION]... [ERL-ARGUMENT]...\n       \
         enigma inspect FILE.beam | bifs ...\n\n\
         Runs Erlang/OTP. Arguments and environment are those of erl; a program of the name\n\
         `erl` that is a link to this one behaves as erl. Options of Enigma's own, which may\n\
         also be given in the environment variable ENIGMA_FLAGS:\n\n",
    );
    for option in OWN_OPTIONS {
        let left = format!("{} {}", option.name, option.argument);
        let _ = writeln!(text, "  {left:<18} {}", option.meaning);
    }
    text.push_str("\nThe flags of erl and what they do here are listed in docs/flags.md.\n");
    text
}

fn with_argument(flag: &Flag) -> String {
    let attached = flag.class == FlagClass::Emulator && flag.launch == Launch::Alone;
    match (flag.argument, attached) {
        ("", _) => flag.name.to_owned(),
        (argument, true) => format!("{}[{argument}]", flag.name),
        (argument, false) => format!("{} {argument}", flag.name),
    }
}

/// The contents of `docs/flags.md`, which a test compares and writes.
#[cfg(test)]
pub fn document() -> String {
    let mut text = String::from(
        "# Flags\n\n\
         Enigma takes `erl`'s command line. This list is made from the table in\n\
         `vm/src/args/table.rs` by its test (`ENIGMA_BLESS=1 cargo test -p enigma-vm` writes it).\n\n\
         `works`: as on BEAM. `OTP`: Erlang code of OTP acts on it, so it works as far as that\n\
         code runs. `partly`: what is missing is said. `no effect`: it is accepted and its value is\n\
         checked, and the reason says why\n\
         nothing follows from it. An unknown `+` flag is an error, as with `erl`.\n",
    );
    let sections = [
        (FlagClass::Emulator, "Flags of the emulator"),
        (FlagClass::Launcher, "Flags of the launcher"),
        (FlagClass::Init, "Flags of init"),
        (FlagClass::Library, "Flags of other Erlang code"),
    ];
    for (class, title) in sections {
        let _ = write!(
            text,
            "\n## {title}\n\n| flag | from | effect | meaning |\n|---|---|---|---|\n"
        );
        for flag in FLAGS.iter().filter(|flag| flag.class == class) {
            let from = match flag.since {
                (13, minor) => format!("25.{}", minor + 1),
                (0, _) => "25".to_owned(),
                (major, _) => (major + 12).to_string(),
            };
            let effect = match flag.effect {
                Effect::Works => "works".to_owned(),
                Effect::Erlang => "OTP".to_owned(),
                Effect::Partly(what) => format!("partly: {what}"),
                Effect::Ignored(why) => format!("no effect: {why}"),
            };
            let name = with_argument(flag).replace('|', "\\|");
            let meaning = flag.meaning.replace('|', "\\|");
            let _ = writeln!(text, "| `{name}` | {from} | {effect} | {meaning} |");
        }
    }
    text.push_str(
        "\n## Options of Enigma's own\n\nThey are read anywhere before `--` and `-extra`, and from the \
         environment variable\n`ENIGMA_FLAGS`; a program called `erl` takes them from there only.\n\n\
         | option | meaning |\n|---|---|\n",
    );
    for option in OWN_OPTIONS {
        let name = format!("{} {}", option.name, option.argument);
        let _ = writeln!(text, "| `{}` | {} |", name.trim(), option.meaning);
    }
    text
}
