//! Making the programs of an unpacked tree runnable in their place.
//!
//! ```text
//!  DIR/bin/{erl,erlc,escript,...}    for users of the tree
//!  DIR/root/usr/lib/erlang/erts-VSN/bin/
//!      beam.smp        a script: LOADER --library-path LIBS beam.smp.bin "$@"
//!      beam.smp.bin    the program itself
//!      erl             a script that sets ROOTDIR and runs erlexec
//! ```
//!
//! All text written here names the tree's final place, which is not where it lies while it
//! is being made.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::OtpError;

/// Where the packages say they belong.
const PACKAGE_ROOT: &str = "/usr/lib/erlang";

/// Wraps every program of `tree` so that it runs from `target` under the release's own
/// dynamic loader, and makes `bin/`.
pub fn wrap(tree: &Path, target: &Path) -> Result<(), OtpError> {
    // Before anything below writes text that has the new root in it already.
    relocate_scripts(&tree.join("root"), &target.join("root"))?;
    let here = Place { tree, target };
    let libraries = triplet_dir(&tree.join("root/usr/lib"))
        .ok_or_else(|| OtpError::broken(tree, "it has no directory of shared libraries"))?;
    let loader = find_loader(&tree.join("root"), &libraries)
        .ok_or_else(|| OtpError::broken(tree, "the release's dynamic loader is not in it"))?;
    let mut search_path = here.finally(&libraries);
    if libraries.join("systemd").is_dir() {
        search_path.push_str(&format!(":{}", here.finally(&libraries.join("systemd"))));
    }
    let loader = here.finally(&loader);

    let otp = tree.join("root").join(PACKAGE_ROOT.trim_start_matches('/'));
    let erts = find_dir(&otp, "erts-")
        .ok_or_else(|| OtpError::broken(&otp, "it has no erts-* directory"))?;
    let mut program_dirs = vec![erts.join("bin"), otp.join("bin")];
    for app in subdirs(&otp.join("lib")) {
        program_dirs.extend([app.join("bin"), app.join("priv/bin")]);
    }
    for program in program_dirs.iter().flat_map(|dir| files(dir)) {
        if !program.is_symlink() && is_elf_program(&program) {
            let real = with_suffix(&program, ".bin");
            fs::rename(&program, &real).map_err(|error| OtpError::io(&program, error))?;
            let script = format!(
                "#!/bin/sh\nexec \"{loader}\" --library-path \"{search_path}\" \"{}\" \"$@\"\n",
                here.finally(&real)
            );
            write_script(&program, &script)?;
        }
    }

    let (root, bin) = (here.finally(&otp), here.finally(&erts.join("bin")));
    let erl = format!(
        "#!/bin/sh\nROOTDIR=\"{root}\"\nBINDIR=\"{bin}\"\nEMU=beam\nPROGNAME=${{0##*/}}\n\
         export EMU ROOTDIR BINDIR PROGNAME\nexec \"$BINDIR/erlexec\" ${{1+\"$@\"}}\n"
    );
    let user_bin = tree.join("bin");
    fs::create_dir_all(&user_bin).map_err(|error| OtpError::io(&user_bin, error))?;
    for dir in [erts.join("bin"), otp.join("bin"), user_bin.clone()] {
        let path = dir.join("erl");
        let _ = fs::remove_file(&path);
        write_script(&path, &erl)?;
    }
    let emulator = here.finally(&user_bin.join("erl"));
    for program in [
        "erlc", "escript", "ct_run", "dialyzer", "typer", "epmd", "run_erl", "to_erl",
    ] {
        if !erts.join("bin").join(program).exists() {
            continue;
        }
        let mut script = format!("#!/bin/sh\nexport ROOTDIR=\"{root}\" BINDIR=\"{bin}\"\n");
        for variable in ["ERLC", "ESCRIPT", "CT_RUN", "DIALYZER", "TYPER"] {
            script.push_str(&format!(
                "export {variable}_EMULATOR=\"${{{variable}_EMULATOR:-{emulator}}}\"\n"
            ));
        }
        script.push_str(&format!("exec \"{bin}/{program}\" \"$@\"\n"));
        write_script(&user_bin.join(program), &script)?;
    }
    Ok(())
}

/// Exchanges the packages' root for the real one in the shell scripts of an installation.
pub fn relocate_scripts(root: &Path, target_root: &Path) -> Result<(), OtpError> {
    let otp = root.join(PACKAGE_ROOT.trim_start_matches('/'));
    let new_root = format!("{}{PACKAGE_ROOT}", target_root.display());
    let mut dirs = vec![otp.join("bin")];
    dirs.extend(find_dir(&otp, "erts-").map(|erts| erts.join("bin")));
    for script in dirs.iter().flat_map(|dir| files(dir)) {
        if script.is_symlink() {
            continue;
        }
        let Ok(text) = fs::read_to_string(&script) else {
            continue;
        };
        if text.starts_with("#!") && text.contains(PACKAGE_ROOT) {
            write_script(&script, &text.replace(PACKAGE_ROOT, &new_root))?;
        }
    }
    Ok(())
}

/// Runs the finished BEAM once: a tree that does not start is not kept.
pub fn check(dir: &Path, release: u32) -> Result<(), OtpError> {
    let erl = dir.join("bin/erl");
    let output = Command::new(&erl)
        .args(["-noinput", "-boot", "start_clean", "-eval"])
        .arg(
            "{ok,_} = application:ensure_all_started(crypto), \
             io:put_chars([erlang:system_info(otp_release), os:cmd(\"echo ok\")]), halt().",
        )
        .output()
        .map_err(|error| OtpError::io(&erl, error))?;
    if output.stdout == format!("{release}ok\n").as_bytes() {
        return Ok(());
    }
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(OtpError::broken(
        dir,
        format!("its BEAM does not run: {}", said.trim()),
    ))
}

struct Place<'a> {
    tree: &'a Path,
    target: &'a Path,
}

impl Place<'_> {
    /// The final name of a path in the tree.
    fn finally(&self, path: &Path) -> String {
        let inside = path.strip_prefix(self.tree).unwrap_or(path);
        self.target.join(inside).display().to_string()
    }
}

fn write_script(path: &Path, text: &str) -> Result<(), OtpError> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
        .map_err(|error| OtpError::io(path, error))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

fn listing(dir: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = listing.flatten().map(|item| item.path()).collect();
    paths.sort();
    paths
}

fn files(dir: &Path) -> Vec<PathBuf> {
    listing(dir)
        .into_iter()
        .filter(|path| path.is_file())
        .collect()
}

fn subdirs(dir: &Path) -> Vec<PathBuf> {
    listing(dir)
        .into_iter()
        .filter(|path| path.is_dir())
        .collect()
}

fn find_dir(dir: &Path, prefix: &str) -> Option<PathBuf> {
    subdirs(dir).into_iter().find(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(prefix))
    })
}

/// The directory of an architecture's libraries, for example `x86_64-linux-gnu`.
fn triplet_dir(lib: &Path) -> Option<PathBuf> {
    subdirs(lib).into_iter().find(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().contains("-linux-gnu"))
    })
}

fn find_loader(root: &Path, libraries: &Path) -> Option<PathBuf> {
    [
        libraries.to_path_buf(),
        root.join("usr/lib64"),
        root.join("usr/lib"),
    ]
    .iter()
    .flat_map(|dir| listing(dir))
    .find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("ld-linux") && name.contains(".so") && path.is_file()
    })
}

fn is_elf_program(path: &Path) -> bool {
    let executable = fs::metadata(path)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    let mut magic = [0u8; 4];
    executable
        && fs::File::open(path)
            .and_then(|mut file| file.read_exact(&mut magic))
            .is_ok()
        && &magic == b"\x7fELF"
}
