//! Tests of finding and reading installations, on directories made for the purpose.

use std::os::unix::fs::symlink;

use super::*;
use crate::testing::Scratch;

#[test]
fn reads_versions_and_directories() {
    let scratch = Scratch::new();
    let root = scratch.otp("tree/root/usr/lib/erlang", "15.2.7", "27.3.4.1");
    for dir in [
        "tree",
        "tree/root",
        "tree/root/usr",
        "tree/root/usr/lib/erlang",
    ] {
        let install = Install::open(&scratch.0.join(dir), Origin::Given).expect(dir);
        assert_eq!(install.root, root);
        assert_eq!(
            (install.release, install.otp_version.as_str()),
            (27, "27.3.4.1")
        );
        assert_eq!(install.erts_vsn, "15.2.7");
        assert_eq!(install.bindir, root.join("erts-15.2.7/bin"));
        assert_eq!(
            install.app_dir("stdlib"),
            Some(root.join("lib/stdlib-10.1"))
        );
        assert_eq!(install.app_dir("nothing"), None);
        assert_eq!(install.tree(), Some(scratch.0.join("tree/root")));
        assert_eq!(install.profile().release, 27);
    }
}

#[test]
fn explains_what_is_wrong() {
    let scratch = Scratch::new();
    let open = |dir: &Path| {
        Install::open(dir, Origin::Option)
            .expect_err("an error")
            .to_string()
    };
    assert!(open(&scratch.0.join("absent")).ends_with("there is no such directory"));
    assert!(open(&scratch.0).ends_with("it has no erts-* directory"));
    let old = scratch.otp("old", "12.3", "24.3");
    assert!(open(&old).contains("holds OTP 24"), "{}", open(&old));
    let new = scratch.otp("new", "18.0", "30.0");
    assert!(open(&new).contains("holds OTP 30"));
    let broken = scratch.otp("broken", "13.1", "25.1");
    fs::remove_dir_all(broken.join("lib/stdlib-10.1")).expect("removed");
    fs::remove_dir_all(broken.join("lib/stdlib-9.8")).expect("removed");
    assert!(open(&broken).ends_with("lib/stdlib-* is missing"));
    let stripped = scratch.otp("stripped", "13.1", "25.1");
    fs::remove_dir_all(stripped.join("lib/erts-13.1")).expect("removed");
    assert!(open(&stripped).contains("the preloaded modules"));
}

#[test]
fn the_runtime_version_in_use_is_the_started_one() {
    let scratch = Scratch::new();
    let root = scratch.otp("otp", "13.1", "25.1");
    scratch.otp("otp", "13.0.4", "25.0");
    assert_eq!(
        Install::open(&root, Origin::Given).expect("otp").erts_vsn,
        "13.0.4"
    );
    fs::remove_file(root.join("releases/start_erl.data")).expect("removed");
    assert_eq!(
        Install::open(&root, Origin::Given).expect("otp").erts_vsn,
        "13.1"
    );
}

#[test]
fn search_follows_the_documented_order() {
    let scratch = Scratch::new();
    let otp = |name: &str| scratch.otp(name, "13.1", "25.1");
    let (option, variable, rootdir, on_path) = (otp("a"), otp("b"), otp("c"), otp("d"));
    scratch.otp("cache/27/root/usr/lib/erlang", "15.0", "27.0");
    scratch.otp("cache/25/root/usr/lib/erlang", "13.0", "25.0");
    scratch.program("d/bin/erl", "#!/bin/sh\n");
    fs::create_dir_all(scratch.0.join("bin")).expect("bin");
    symlink(on_path.join("bin/erl"), scratch.0.join("bin/erl")).expect("a link");
    let mut search = Search {
        option: Some(option.clone()),
        enigma_otp: Some(variable.clone()),
        erl_rootdir: Some(rootdir.clone()),
        path: Some(scratch.0.join("bin").into()),
        cache: Some(Cache::at(scratch.0.join("cache"))),
        own_exe: None,
        fetch: false,
    };
    assert_eq!(search.run().expect("option").root, option);
    search.option = None;
    assert_eq!(search.run().expect("variable").root, variable);
    search.enigma_otp = None;
    assert_eq!(search.run().expect("rootdir").root, rootdir);
    search.erl_rootdir = None;
    let found = search.run().expect("path");
    assert_eq!(
        (found.root, found.origin),
        (on_path, Origin::Path(scratch.0.join("bin/erl")))
    );
    search.path = Some("/nonexistent".into());
    let found = search.run().expect("cache");
    assert_eq!((found.release, found.origin), (27, Origin::Cache));
    search.cache = None;
    assert!(matches!(search.run(), Err(OtpError::NotFound)));
    // What was named must exist: nothing else is tried instead.
    search.enigma_otp = Some(scratch.0.join("absent"));
    assert!(matches!(search.run(), Err(OtpError::Broken { .. })));
}

#[test]
fn an_erl_on_path_may_be_a_script_anywhere_but_not_enigma() {
    let scratch = Scratch::new();
    let root = scratch.otp("real", "13.1", "25.1");
    let own = scratch.program("enigma/enigma", "\x7fELF");
    symlink(&own, scratch.0.join("enigma/erl")).expect("a link");
    scratch.program("copy/erl", "\x7fELF and more");
    scratch.file("plain/erl", "#!/bin/sh\nROOTDIR=/nonexistent\n");
    let text = format!("#!/bin/sh\n  ROOTDIR=\"{}\"\nexec x\n", root.display());
    scratch.program("script/erl", &text);
    let dirs = ["enigma", "copy", "plain", "script"].map(|dir| scratch.0.join(dir));
    let search = Search {
        path: Some(std::env::join_paths(dirs).expect("a path")),
        own_exe: Some(own),
        ..Search::default()
    };
    let install = search.run().expect("the script's root");
    assert_eq!(install.root, root);
    assert_eq!(install.origin, Origin::Path(scratch.0.join("script/erl")));
}

#[test]
fn an_erl_that_chooses_when_it_runs_is_asked() {
    let scratch = Scratch::new();
    let root = scratch.otp("real", "13.1", "25.1");
    let shim = format!(
        "#!/bin/sh\ntest \"$ENIGMA_PROBE\" = 1 && echo root:{}\n",
        root.display()
    );
    scratch.program("shims/erl", &shim);
    let search = Search {
        path: Some(scratch.0.join("shims").into()),
        ..Search::default()
    };
    assert_eq!(search.run().expect("the shim's answer").root, root);
}

#[test]
fn reads_rootdir_out_of_scripts() {
    let root = |text: &str| root_from_script(text.as_bytes());
    assert_eq!(
        root("#!/bin/sh\nROOTDIR=/usr/lib/erlang\n"),
        Some("/usr/lib/erlang".into())
    );
    assert_eq!(root("#!/bin/sh\nROOTDIR='/a b'; x\n"), Some("/a b".into()));
    assert_eq!(
        root("#!/bin/sh\nROOTDIR=$(x)\n    ROOTDIR=\"/opt/erl\"\n"),
        Some("/opt/erl".into())
    );
    assert_eq!(root("#!/bin/sh\nROOTDIR=\"$dyn_rootdir\"\n"), None);
    assert_eq!(root("ROOTDIR=/usr/lib/erlang\n"), None);
}

#[test]
fn an_assembled_release_borrows_the_preloaded_modules() {
    let scratch = Scratch::new();
    let release = scratch.otp("release", "13.1", "25.1");
    fs::remove_dir_all(release.join("lib/erts-13.1")).expect("removed");
    let other = scratch.otp("cache/26/root/usr/lib/erlang", "14.0", "26.0");
    let mut search = Search {
        option: Some(release.clone()),
        cache: Some(Cache::at(scratch.0.join("cache"))),
        ..Search::default()
    };
    assert!(matches!(search.run(), Err(OtpError::Broken { .. })));
    let same = scratch.otp("cache/25/root/usr/lib/erlang", "13.1", "25.1");
    let install = search.run().expect("the release");
    assert_eq!(install.root, release);
    assert_eq!(install.preloaded, same.join("lib/erts-13.1/ebin"));
    search.option = Some(other.clone());
    assert_eq!(
        search.run().expect("the other").preloaded,
        other.join("lib/erts-14.0/ebin")
    );
}
