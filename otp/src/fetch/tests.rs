//! Tests of fetching, with programs that stand in for apt and dpkg.

use super::*;
use crate::testing::Scratch;
use crate::{Install, Origin};
use sources::PackageSource;

/// `apt-get`: `download` makes an archive for each package; a package list that contains
/// `erlang-observer` needs the desktop.
const APT_GET: &str = r#"#!/bin/sh
echo "$*" >> LOG
while [ $# -gt 0 ]; do
  case $1 in
    -o) shift ;;
    update) exit UPDATE ;;
    download) shift; for p in "$@"; do echo "$p" > "$p"_1_all.deb; done; exit 0 ;;
    install)
      case $* in *observer*) echo "Inst erlang-wx (1)" ;; esac
      case $MODE in -s) exit 0 ;; esac
      shift; for p in "$@" libc6 perl; do echo "$p" > "$p"_1_all.deb; done; exit 0 ;;
    -s) MODE=-s ;;
  esac
  shift
done
"#;

const APT_CACHE: &str = r#"#!/bin/sh
case $* in
  *pkgnames*) echo erlang-base; echo erlang-observer; echo erlang-src; echo libssl9 ;;
  *show*) echo "Package: erlang-base"; echo "Version: 1:VERSION+dfsg-1" ;;
  *depends*) echo "erlang-crypto"; echo "  Depends: libc6"; echo "  Depends: libssl9" ;;
esac
"#;

/// `dpkg-deb -x ARCHIVE ROOT`: every package brings a file of its own name, and the base
/// package an installation that was prepared.
const DPKG_DEB: &str = r#"#!/bin/sh
p=$(cat "$2")
mkdir -p "$3/usr/share/doc/$p" "$3/usr/lib/test"
: > "$3/usr/lib/test/$p"
[ "$p" = erlang-base ] && cp -a "BASE/." "$3/usr/lib/erlang"
mkdir -p "$3/lib/old" && : > "$3/lib/old/$p"
exit 0
"#;

struct Setup {
    scratch: Scratch,
    distribution: Distribution,
    cache: Cache,
}

impl Setup {
    fn new(version: &str, update: &str) -> Setup {
        let scratch = Scratch::new();
        let release: u32 = version
            .split('.')
            .next()
            .and_then(|n| n.parse().ok())
            .expect("a number");
        let base = scratch.otp("base", &format!("{}.1", release - 12), version);
        scratch.program("base/bin/erl", "#!/bin/sh\nROOTDIR=/usr/lib/erlang\n");
        let log = scratch.0.join("log").display().to_string();
        scratch.program(
            "bin/apt-get",
            &APT_GET.replace("LOG", &log).replace("UPDATE", update),
        );
        scratch.program("bin/apt-cache", &APT_CACHE.replace("VERSION", version));
        scratch.program(
            "bin/dpkg-deb",
            &DPKG_DEB.replace("BASE", &base.display().to_string()),
        );
        let tools = Tools::find(scratch.0.join("bin").as_os_str()).expect("the programs");
        let source = PackageSource {
            uris: "http://mirror.example/debian".into(),
            suite: "bookworm".into(),
            components: "main".into(),
            fields: vec![],
        };
        let machine = HostSystem {
            id: "debian".into(),
            codename: "bookworm".into(),
            sources: vec![source],
        };
        let cache = Cache::at(scratch.0.join("cache"));
        Setup {
            scratch,
            distribution: Distribution { tools, machine },
            cache,
        }
    }

    fn fetch(&self, release: Option<u32>, options: FetchOptions) -> Result<Fetched, OtpError> {
        fetch_from(&self.distribution, &self.cache, release, options)
    }

    fn calls(&self) -> usize {
        let log = fs::read_to_string(self.scratch.0.join("log")).unwrap_or_default();
        log.lines().count()
    }

    fn leftovers(&self) -> Vec<String> {
        let listing = fs::read_dir(self.cache.dir()).expect("the cache");
        let mut names: Vec<String> = listing
            .map(|item| {
                item.expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

#[test]
fn fetches_the_distributions_own_release_once() {
    let setup = Setup::new("25.1", "0");
    fs::create_dir_all(setup.cache.dir().join(".work-1/tree")).expect("a killed fetch");
    let fetched = setup.fetch(None, FetchOptions::default()).expect("a tree");
    assert_eq!(fetched.dir, setup.cache.dir().join("25"));
    assert_eq!(fetched.oracle, None);
    assert_eq!(setup.leftovers(), ["25", "lock"]);
    let root = fetched.dir.join("root");
    for file in [
        "usr/lib/test/erlang-base",
        "usr/lib/test/libssl9",
        "usr/lib/old/erlang-base",
    ] {
        assert!(root.join(file).exists(), "{file}");
    }
    for file in [
        "usr/lib/test/erlang-src",
        "usr/lib/test/libc6",
        "usr/share/doc",
        "lib",
    ] {
        assert!(!root.join(file).exists(), "{file}");
    }
    let install = Install::open(&fetched.dir, Origin::Cache).expect("an installation");
    assert_eq!(install.release, 25);
    let erl = fs::read_to_string(install.root.join("bin/erl")).expect("erl");
    assert!(
        erl.contains(&format!("ROOTDIR={}", install.root.display())),
        "{erl}"
    );

    let calls = setup.calls();
    assert_eq!(
        setup
            .fetch(Some(25), FetchOptions::default())
            .expect("cached")
            .dir,
        fetched.dir
    );
    assert_eq!(setup.calls(), calls, "nothing is fetched again");
    let sources = FetchOptions {
        with_src: true,
        ..FetchOptions::default()
    };
    let fetched = setup.fetch(Some(25), sources).expect("with sources");
    assert_eq!(fetched.dir, setup.cache.dir().join("25-src"));
    assert!(fetched.dir.join("root/usr/lib/test/erlang-src").exists());
}

#[test]
fn says_why_it_cannot() {
    let offline = Setup::new("25.1", "100");
    let error = offline
        .fetch(None, FetchOptions::default())
        .expect_err("offline")
        .to_string();
    assert!(error.contains("apt-get update failed"), "{error}");
    assert_eq!(offline.leftovers(), ["lock"]);

    let old = Setup::new("24.3", "0");
    let error = old
        .fetch(None, FetchOptions::default())
        .expect_err("too old")
        .to_string();
    assert!(
        error.contains("hold OTP 24, not one of 25 to 29"),
        "{error}"
    );
    let error = old
        .fetch(Some(27), FetchOptions::default())
        .expect_err("another")
        .to_string();
    assert!(
        error.starts_with("cannot obtain OTP 27: the packages of trixie hold OTP 24"),
        "{error}"
    );

    let mut foreign = Setup::new("25.1", "0");
    foreign.distribution.machine = HostSystem {
        id: "fedora".into(),
        ..HostSystem::default()
    };
    let error = foreign
        .fetch(None, FetchOptions::default())
        .expect_err("no sources")
        .to_string();
    assert!(error.contains("apt has no source"), "{error}");

    let empty = Scratch::new();
    let error = Tools::find(empty.0.as_os_str())
        .expect_err("no programs")
        .to_string();
    assert!(error.contains("apt-get is not on PATH"), "{error}");
    assert!(error.contains("install Erlang/OTP"), "{error}");
}

#[test]
fn a_package_that_needs_a_desktop_comes_alone() {
    let setup = Setup::new("27.1", "0");
    let work = setup.cache.dir().join("work");
    let source = sources::choose(&setup.distribution.machine, Some(27)).expect("a source");
    assert_eq!(source.suite, "trixie");
    let apt = Apt::new(&setup.distribution.tools, &work, &source).expect("a state directory");
    let archives = apt
        .download(&["erlang-base", "erlang-observer"], true)
        .expect("archives");
    let names: Vec<&str> = archives
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    // All of it is there, and what is neither OTP nor a library is left out.
    assert_eq!(
        names,
        [
            "erlang-base_1_all.deb",
            "erlang-observer_1_all.deb",
            "libc6_1_all.deb"
        ]
    );
    let log = fs::read_to_string(setup.scratch.0.join("log")).expect("the log");
    let installed = log
        .lines()
        .find(|line| line.contains("--download-only"))
        .expect("an install");
    assert!(!installed.contains("erlang-observer"), "{installed}");
}

#[test]
fn tests_can_be_given_a_tree() {
    let scratch = Scratch::new();
    let var =
        |name: &str| (name == "ENIGMA_TEST_OTP_27").then(|| scratch.0.clone().into_os_string());
    let with_beam = FetchOptions {
        with_beam: true,
        ..FetchOptions::default()
    };
    assert!(for_tests(27, with_beam, var).is_err());
    for program in ["erl", "erlc", "escript"] {
        scratch.program(&format!("bin/{program}"), "#!/bin/sh\n");
    }
    let fetched = for_tests(27, with_beam, var).expect("the tree");
    assert_eq!(
        fetched.oracle.expect("programs").erlc,
        scratch.0.join("bin/erlc")
    );
}
