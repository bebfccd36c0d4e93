//! Tests of the command line against results recorded from real launchers and emulators.
//!
//! `recorded/launcher.tsv` holds what `erl ... -emu_args_exit` of each release printed and
//! `recorded/emulator.tsv` what a running emulator said about itself, or the first line of
//! its refusal. With `ENIGMA_BLESS=1` the files are written anew, from the installations
//! that `ENIGMA_TEST_OTP_25` and so on name (each with a `bin/erl`).

use std::fmt::Write;
use std::path::Path;
use std::process::Command as Process;

use enigma_otp::Origin;
use enigma_otp::profile::TimeWarp;

use super::*;
use crate::args::emulator::{FileNameEncoding, WarningsAs};

/// Command lines for the launcher. Assignments in front are the environment.
const LAUNCHER_CASES: &[&str] = &[
    "",
    "a",
    "-a b c",
    "-noshell",
    "-noinput",
    "-detached",
    "-detached -nohup x",
    "-- a",
    "a -- b -- c",
    "-s m f a -run m f a -eval 'io:nl()'",
    "-extra",
    "-extra a -b +c",
    "-noshell -extra -extra",
    "-pa x -extra -- y",
    "-compile a b",
    "-make a b",
    "-make +P 5000",
    "-configfd 0",
    "-configfd 3",
    "-configfd",
    "-config a b -config c",
    "-boot start_clean",
    "-boot",
    "-version",
    "-emu_args_exit",
    "-emu_name_exit",
    "-emu_qouted_cmd_exit",
    "-env A b -x",
    "-env A",
    "-env A --",
    "-env",
    "-epmd 'true' -x",
    "-epmd",
    "-keep_window -keep",
    "-name",
    "-name --",
    "-sname",
    "-start_epmd false -sname n",
    "-start_epmd false -name n@h x",
    "-start_epmd",
    "-start_epmd maybe",
    "-no_epmd",
    "-no_epmd -proto_dist inet6_tcp",
    "-no_epmd -proto_dist inet6_tcp -sname a",
    "-proto_dist",
    "-smp",
    "-smp enable",
    "-smp auto -x",
    "-smp disable",
    "-smpenable -smpauto",
    "-smpdisable",
    "-emu_type",
    "-emu_type opt -x",
    "-emu_flavor",
    "-emu_flavor smp -x",
    "-start_erl x -service_event y",
    "-S",
    "-S m",
    "-S m a -- b -extra c",
    "-noshell -S m +P 5000",
    "-x -S m -- --",
    "++S a b",
    "++x",
    "+",
    "-",
    "''",
    "+P 5000",
    "+P5000",
    "+P",
    "+P --",
    "+P -x",
    "a +P 5000 b",
    "-s a +Q 2048 b -- +t 9000 c",
    "+A 5 +A5 +a 20",
    "+C no_time_warp +c +c true +c false +c x +ctrue",
    "+B +Bi +Bc +Bd +B i +B x",
    "+Bx",
    "+e 5 +e5 +ec 5",
    "+i init +iinit",
    "+n s +ns",
    "+T 3 +T3 +R 25 +R25 +W w +Ww +K true +Ktrue",
    "+S 2 +S2 +S 2:1 +SP 50 +SP50:50",
    "+SDcpu 2:1 +SDcpu2 +SDPcpu 50 +SDPcpu50 +SDio 3 +SDio3",
    "+SDx 3",
    "+SD",
    "+Sx 3",
    "+IOt 1 +IOt1 +IOp 1 +IOPt 50 +IOPp 50 +IOs true",
    "+IOt",
    "+IOx 3",
    "+I",
    "+IOPx 3",
    "+JDdump true +JPperf true +Jx y +J y",
    "+J",
    "+hms 300 +hms300 +h 300 +hmbs 3 +hpds 3 +hmqd off_heap",
    "+hmax 0 +hmaxk true +hmaxel true",
    "+hmaxib true",
    "+hx 3",
    "+rg 3 +rg3 +r +rx 3",
    "+sbt u +sbwt none +sbwtdcpu none +sbwtdio none +scl true +sct L0",
    "+secio true +sfwi 5 +stbt u +swct lazy +swtdcpu low +swtdio low +swt low",
    "+sws default +sss 20 +sssdcpu 20 +sssdio 20 +spp true +sub true",
    "+ssrct x +sx y",
    "+pc unicode +pcunicode +px y",
    "+pad true",
    "+zdbbl 5 +zdntgc 5 +zebwt none +zosrl 5 +zx y",
    "+zhft 5",
    "+MBas bf +MBasbf +Muas bf +MZas bf +MXas bf +MBmsbclt 3",
    "+Mea min +Mummc 3 +Mim true +Mis true +Mlpm no +MMscs 3 +MYe true +Mdai 1 +Mx y",
    "+MMlp on",
    "+MB",
    "+fnu +fn u +fnui x",
    "+L x +H x +v x +V x +d x +dcg 5 +dcg5 +x y",
    "+D x",
    "+Dibpl true",
    "-args_file src/args/recorded/one.args x",
    "x -args_file src/args/recorded/two.args y",
    "-args_file src/args/recorded/three.args -args_file src/args/recorded/empty.args",
    "-args_file",
    "-args_file src/args/recorded/absent.args",
    "-extra -args_file src/args/recorded/one.args",
    "ERL_FLAGS='-a b +P 3000' -c",
    "ERL_AFLAGS='-a b +P 3000' -c",
    "ERL_ZFLAGS='-a \"b c\" +P 3000' -c",
    "ERL_FLAGS='-f' ERL_AFLAGS='-a' ERL_ZFLAGS='-z'",
    "ERL_FLAGS='-f' ERL_AFLAGS='-a' ERL_ZFLAGS='-z' -c d -extra e",
    "ERL_FLAGS='-f -extra x' ERL_AFLAGS='-a -extra y' -c d -extra e",
    "ERL_AFLAGS='-a -extra y'",
    "ERL_FLAGS='  ' -c",
    "ERL_FLAGS='-args_file src/args/recorded/two.args' -c",
    "ERL_FLAGS='-S m a' -c",
    "ERL_FLAGS='-f' -S m a -- b",
    "ERL_FLAGS='-x # y' -c",
    "ERL_EPMD_PORT=5000 -c",
    "ESCRIPT_NAME=/x/y.escript -c",
    "HOME=/other -c",
    "ERL_OTP25_FLAGS='-r25' ERL_OTP27_FLAGS='-r27' ERL_OTP29_FLAGS='-r29' -c",
];

/// Command lines for the emulator.
const EMULATOR_CASES: &[&str] = &[
    "",
    "+S 1",
    "+S 4",
    "+S 4:2",
    "+S 4:5",
    "+S :1",
    "+S 0",
    "+S -1",
    "+S 3:-1",
    "+S 1024",
    "+S 1025",
    "+S a",
    "+S 2a",
    "+SP 50",
    "+SP 200:50",
    "+SP :50",
    "+SP -1",
    "+SP x",
    "+SDcpu 1",
    "+SDcpu 2:1",
    "+SDcpu 9",
    "+SDcpu 0:5",
    "+SDcpu 5000",
    "+SDcpu x",
    "+S 4 +SDcpu 3:2",
    "+SDPcpu 50",
    "+SDPcpu x",
    "+SDio 3",
    "+SDio 0",
    "+SDio x",
    "+S 0:0 +SDio x +A 2000",
    "+A 0",
    "+A 7",
    "+A 1024",
    "+A 1025",
    "+A x",
    "+a 16",
    "+a 15",
    "+a 8193",
    "+P 1024",
    "+P 1023",
    "+P 1025",
    "+P 100000",
    "+P 134217727",
    "+P 134217728",
    "+P legacy",
    "+P x",
    "+P 4294968296",
    "+Q 1024",
    "+Q 1023",
    "+Q 5000",
    "+Q 65537",
    "+Q legacy",
    "+Q x",
    "+t 8191",
    "+t 20001",
    "+t 2147483647",
    "+t 2147483648",
    "+t 4294987296",
    "+t x",
    "+e 5000",
    "+e -1",
    "+ec",
    "+hms 610",
    "+h 987",
    "+hms 0",
    "+hms x",
    "+hx 5",
    "+hmbs 46422",
    "+hmbs -1",
    "+hmax 10000000",
    "+hmax 100 +hmax 200",
    "+hmax -1",
    "+hmax x",
    "+hmax 576460752303423488",
    "+hmax 10000000 +hmaxk false +hmaxel false",
    "+hmaxk x",
    "+hmaxel x",
    "+hmaxib x",
    "+hmaxib true",
    "+hpds 20",
    "+hpds 0",
    "+hmqd off_heap",
    "+hmqd on_heap",
    "+hmqd x",
    "+c",
    "+c true",
    "+c false",
    "+cfalse",
    "+cx",
    "+C no_time_warp",
    "+C single_time_warp",
    "+C multi_time_warp",
    "+C x",
    "+R 22",
    "+R 24",
    "+R 25",
    "+R 27",
    "+R 29",
    "+R 30",
    "+W i",
    "+W e",
    "+W w",
    "+W x",
    "+Bi",
    "+B d",
    "+pc unicode",
    "+pc latin1",
    "+pc x",
    "+px x",
    "+p",
    "+pad true",
    "+pad x",
    "+fnl",
    "+fnu",
    "+fnui",
    "+fnue",
    "+fnux",
    "+fna",
    "+fnax",
    "+fnx",
    "+fn",
    "+f",
    "+spp true",
    "+spp x",
    "+sbt u",
    "+sbt x",
    "+stbt db",
    "+stbt x",
    "+sbwt none +sbwtdcpu long +sbwtdio short",
    "+sbwt x",
    "+sbwtdcpu x",
    "+sbwtdio x",
    "+scl false",
    "+scl x",
    "+sct L0-1c0-1p0",
    "+sct x",
    "+sct L0-1c0-2",
    "+sct L0:L0",
    "+sct c0",
    "+sct L0n0p0n0",
    "+sct L0:L1",
    "+secio x",
    "+sub true",
    "+sub x",
    "+swct x",
    "+swct eager",
    "+swt x",
    "+swt high",
    "+swtdcpu x",
    "+swtdio x",
    "+sws x",
    "+sws legacy",
    "+sss 19",
    "+sss 20",
    "+sssdcpu 19",
    "+sssdio 8193",
    "+sfwi 5",
    "+sfwi -1",
    "+ssrct",
    "+sx",
    "+s",
    "+dcg 5",
    "+dcg5",
    "+dcgx",
    "+dcg-1",
    "+d",
    "+rg 5",
    "+rg x",
    "+rg -1",
    "+r",
    "+IOt 1",
    "+IOt 0",
    "+IOt2 +IOp 2",
    "+IOp 2",
    "+IOp2",
    "+IOPt 101",
    "+IOPp x",
    "+IOs x",
    "+IOs false",
    "+K x",
    "+Kx",
    "+L",
    "+H 5",
    "+H",
    "+n s",
    "+n sx",
    "+n x",
    "+T 9",
    "+T 10",
    "+T x",
    "+v",
    "+V",
    "+V +x",
    "+x +V",
    "+S x +V",
    "+x",
    "+Z -x",
    "+zdbbl 2",
    "+zdbbl 0",
    "+zdbbl 2097152",
    "+zdntgc 5",
    "+zdntgc infinity",
    "+zdntgc 5x",
    "+zdntgc 100000001",
    "+zebwt long",
    "+zebwt x",
    "+zosrl 7",
    "+zosrl 0",
    "+zhft 5",
    "+zhft -1",
    "+zhft infinity",
    "+zx",
    "+JDdump x",
    "+JDdump false",
    "+JPperf x",
    "+JPperf false",
    "+JPperf fp",
    "+JPperf no_fp",
    "+JPcover x",
    "+JPx false",
    "+JMsingle x",
    "+Jx y",
    "+D",
    "+Dx",
    "+MBas bf",
    "+MBasgf",
    "+MBas x",
    "+MZas chaosff",
    "+MBasbcst 5",
    "+MBasbcst x",
    "+MBatags x",
    "+MBacul 101",
    "+MBacul de",
    "+MIacul 5",
    "+MTcp B",
    "+Muacul 5",
    "+MBcp X",
    "+MBcp @",
    "+MBe x",
    "+MBlmbcs 500",
    "+MBlmbcs -1",
    "+MBmbsd x",
    "+MBramv x",
    "+MBsbctx",
    "+MBx 3",
    "+MB",
    "+M",
    "+Mx",
    "+Mux",
    "+Muycs x",
    "+Musac x",
    "+Mea min",
    "+Mea x",
    "+Mlpm x",
    "+Mlx",
    "+MMscs x",
    "+MMsco x",
    "+MMx",
    "+MYe false",
    "+MYtp x",
    "+MYtt 2097152",
    "+MYx",
    "+Mdai x",
    "+Mdai max",
    "+Mdx",
    "+MBas bf +P x",
    "+P x +MBas x",
    "+IOt 0 +MBas x",
    "ERL_FULLSWEEP_AFTER=10",
    "ERL_MAX_PORTS=3000",
    "ERL_THREAD_POOL_SIZE=5",
    "ERL_MAX_ETS_TABLES=20000",
];

/// What a running emulator prints about itself, in one line.
const REPORT: &str = r#"
    I = fun(K) -> try erlang:system_info(K) catch _:_ -> none end end,
    {max_heap_size, M} = hd([X || {max_heap_size,_} = X <- [{max_heap_size, I(max_heap_size)}]]),
    io:format("~w~n", [[
      [I(schedulers), I(schedulers_online), I(dirty_cpu_schedulers),
       I(dirty_cpu_schedulers_online), I(dirty_io_schedulers), I(thread_pool_size)],
      [I(process_limit), I(port_limit), I(atom_limit)],
      [element(2, I(min_heap_size)), element(2, I(fullsweep_after))],
      [maps:get(size, M), maps:get(kill, M), maps:get(error_logger, M),
       maps:get(include_shared_binaries, M, false)],
      [I(time_correction), I(time_warp_mode), I(compat_rel)],
      [error_logger:warning_map(), io:printable_range(), I(dist_buf_busy_limit)],
      [case file:native_name_encoding() of E -> E end, I(port_parallelism)],
      [case I(delayed_node_table_gc) of none -> 60; D -> D end],
      [element(2, process_info(spawn(fun() -> receive after infinity -> ok end end),
                               message_queue_data))]
    ]]), halt().
"#;

/// The machine on which the results were recorded.
const RECORDED_HOST: Host = Host {
    processors: 2,
    available: 2,
    max_files: 20000,
};

const RELEASES: &[(u32, &str)] = &[(25, "13.1.5"), (27, "15.2.7"), (29, "17.1.1")];

fn install(release: u32, erts_vsn: &str) -> Install {
    let root = PathBuf::from("/ROOT");
    let bindir = root.join(format!("erts-{erts_vsn}/bin"));
    Install {
        preloaded: root.join("ebin"),
        root,
        release,
        otp_version: release.to_string(),
        erts_vsn: erts_vsn.to_owned(),
        bindir,
        origin: Origin::Given,
    }
}

/// A case's environment and arguments.
fn take_apart(case: &str) -> (Env, Vec<Bytes>) {
    let mut env: Env = [("HOME", "/home/user"), ("PATH", "/usr/bin:/bin")]
        .into_iter()
        .collect();
    let mut words = split::split(case.as_bytes(), false);
    while let Some(word) = words.first() {
        let Some(at) = word.iter().position(|byte| *byte == b'=') else {
            break;
        };
        if !word[0].is_ascii_uppercase() {
            break;
        }
        env.set(&word[..at], &word[at + 1..]);
        words.remove(0);
    }
    (env, words)
}

fn run_real(erl: &Path, env: &Env, args: &[Bytes]) -> (i32, Bytes, Bytes) {
    let output = Process::new(erl)
        .args(args.iter().map(|arg| OsStr::from_bytes(arg)))
        .env_clear()
        .envs(
            env.iter()
                .map(|(name, value)| (OsStr::from_bytes(name), OsStr::from_bytes(value))),
        )
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(std::process::Stdio::null())
        .output()
        .expect("erl runs");
    (
        output.status.code().unwrap_or(-1),
        output.stdout,
        output.stderr,
    )
}

/// Output without what differs from machine to machine.
fn normalise(text: &[u8], root: &str) -> String {
    String::from_utf8_lossy(text)
        .replace(root, "/ROOT")
        .replace("beam.smp.bin", "beam.smp")
        .replace(env!("CARGO_MANIFEST_DIR"), "/DIR")
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
}

fn bless() -> bool {
    std::env::var_os("ENIGMA_BLESS").is_some()
}

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/args/recorded")
        .join(name)
}

/// Runs every case on every release, and compares with or writes the record.
fn check(
    name: &str,
    cases: &[&str],
    real: impl Fn(&Path, &Env, &[Bytes]) -> (i32, Bytes, Bytes),
    ours: impl Fn(Install, Env, &[Bytes]) -> String,
    summary: impl Fn(i32, &str, &str) -> String,
) {
    let path = recorded(name);
    if bless() {
        let mut text = String::from("release\tcase\tresult\n");
        for (release, _) in RELEASES {
            let tree =
                std::env::var(format!("ENIGMA_TEST_OTP_{release}")).expect("a tree to record");
            let erl = Path::new(&tree).join("bin/erl");
            let root = Install::open(Path::new(&tree), Origin::Given)
                .expect("an installation")
                .root;
            for case in cases {
                let (env, args) = take_apart(case);
                let (status, stdout, stderr) = real(&erl, &env, &args);
                let root = root.display().to_string();
                let result = summary(
                    status,
                    &normalise(&stdout, &root),
                    &normalise(&stderr, &root),
                );
                writeln!(text, "{release}\t{case}\t{}", escape(&result)).expect("text");
            }
        }
        std::fs::write(&path, text).expect("the record is written");
    }
    let record = std::fs::read_to_string(&path).expect("the record");
    let mut wrong = String::new();
    let mut seen = 0;
    for line in record.lines().skip(1) {
        let mut columns = line.split('\t');
        let (release, case, expected) = (
            columns
                .next()
                .expect("a release")
                .parse::<u32>()
                .expect("a number"),
            columns.next().expect("a case"),
            columns.next().expect("a result"),
        );
        let erts = RELEASES
            .iter()
            .find(|(number, _)| *number == release)
            .expect("known")
            .1;
        let (env, args) = take_apart(case);
        let result = escape(&ours(install(release, erts), env, &args));
        seen += 1;
        if result != expected {
            writeln!(
                wrong,
                "{release}: {case}\n  beam: {expected}\n  ours: {result}"
            )
            .expect("text");
        }
    }
    assert_eq!(
        seen,
        cases.len() * RELEASES.len(),
        "the record does not fit the cases"
    );
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn front(args: &[Bytes]) -> Front {
    Front::read(b"/nonexistent/erl", args, &Env::default()).expect("a command line")
}

/// A status, the whole standard output and the first line of standard error.
fn launcher_summary(status: i32, stdout: &str, stderr: &str) -> String {
    format!(
        "{status}\n{}{stdout}",
        stderr
            .lines()
            .next()
            .map_or(String::new(), |l| format!("{l}\n"))
    )
}

#[test]
fn the_launcher_does_what_erlexec_does() {
    let with_exit = |args: &[Bytes]| {
        let mut all = vec![b"-emu_args_exit".to_vec()];
        all.extend(args.iter().cloned());
        all
    };
    check(
        "launcher.tsv",
        LAUNCHER_CASES,
        |erl, env, args| run_real(erl, env, &with_exit(args)),
        |install, env, args| {
            let result = front(&with_exit(args)).command(env, install, &RECORDED_HOST);
            let (status, stdout, stderr) = match result {
                Ok(Command::Print(exit)) => (exit.status, exit.stdout, exit.stderr),
                Err(error) => (error.status, Vec::new(), error.text),
                Ok(other) => panic!("{other:?}"),
            };
            launcher_summary(
                status,
                &normalise(&stdout, "/ROOT"),
                &normalise(&stderr, "/ROOT"),
            )
        },
        launcher_summary,
    );
}

/// The same line as [`REPORT`] makes, from the flags.
fn report(emu: &EmuFlags) -> String {
    let atom = |on: bool| if on { "true" } else { "false" };
    let (t, l, h) = (&emu.threads, &emu.limits, &emu.heap);
    format!(
        "[[{},{},{},{},{},{}],[{},{},{}],[{},{}],[{},{},{},{}],[{},{},{}],[{},{},{}],[{},{}],[{}],[{}]]\n",
        t.schedulers,
        t.schedulers_online,
        t.dirty_cpu,
        t.dirty_cpu_online,
        t.dirty_io,
        t.async_threads,
        l.processes,
        l.ports,
        l.atoms,
        h.min_words,
        h.fullsweep_after,
        h.max_words,
        atom(h.max_kill),
        atom(h.max_log),
        atom(h.max_include_binaries),
        atom(emu.time_correction),
        match emu.time_warp {
            TimeWarp::None => "no_time_warp",
            TimeWarp::Single => "single_time_warp",
            TimeWarp::Multi => "multi_time_warp",
        },
        emu.compat_release,
        match emu.warnings_as {
            WarningsAs::Warning => "warning",
            WarningsAs::Info => "info",
            WarningsAs::Error => "error",
        },
        if emu.printable_unicode {
            "unicode"
        } else {
            "latin1"
        },
        emu.dist_busy_limit,
        // The recording had no locale.
        match emu.file_names.encoding {
            FileNameEncoding::Utf8 => "utf8",
            FileNameEncoding::Latin1 | FileNameEncoding::ByLocale => "latin1",
        },
        atom(emu.port_parallelism),
        emu.node_table_gc
            .map_or("infinity".to_owned(), |seconds| seconds.to_string()),
        match h.message_queue {
            emulator::MessageQueue::OnHeap => "on_heap",
            emulator::MessageQueue::OffHeap => "off_heap",
        },
    )
}

#[test]
fn the_emulator_reads_its_flags_as_beam_does() {
    let summary = |status: i32, stdout: &str, stderr: &str| {
        format!(
            "{status}\n{}\n{stdout}",
            stderr.lines().next().unwrap_or("")
        )
    };
    let boot = |args: &[Bytes]| {
        let mut all = args.to_vec();
        for arg in ["-noinput", "-boot", "start_clean", "-eval", REPORT] {
            all.push(arg.as_bytes().to_vec());
        }
        all
    };
    check(
        "emulator.tsv",
        EMULATOR_CASES,
        |erl, env, args| run_real(erl, env, &boot(args)),
        |install, env, args| {
            let (status, stdout, stderr) =
                match front(&boot(args)).command(env, install, &RECORDED_HOST) {
                    Ok(Command::Print(exit)) => (exit.status, exit.stdout, exit.stderr),
                    Err(error) => (error.status, Vec::new(), error.text),
                    Ok(Command::Run(run)) => (0, report(&run.emu).into_bytes(), run.emu.notices),
                    Ok(other) => panic!("{other:?}"),
                };
            summary(
                status,
                &normalise(&stdout, "/ROOT"),
                &normalise(&stderr, "/ROOT"),
            )
        },
        summary,
    );
}

#[test]
fn init_gets_what_follows_the_first_separator() {
    let args: Vec<Bytes> = ["+P", "2000", "-noshell", "-extra", "+x"]
        .map(|arg| arg.as_bytes().to_vec())
        .to_vec();
    let (env, _) = take_apart("");
    let command = front(&args).command(env, install(27, "15.2.7"), &RECORDED_HOST);
    let Ok(Command::Run(run)) = command else {
        panic!("{command:?}")
    };
    let init_args: Vec<String> = run
        .init_args
        .iter()
        .map(|arg| String::from_utf8_lossy(arg).into_owned())
        .collect();
    assert_eq!(
        init_args.join(" "),
        "-root /ROOT -bindir /ROOT/erts-15.2.7/bin -progname erl -- -home /home/user -- \
         -noshell -- -- -extra +x"
    );
    assert_eq!(run.emu.limits.processes, 2048);
    for (name, value) in [
        ("ROOTDIR", "/ROOT"),
        ("BINDIR", "/ROOT/erts-15.2.7/bin"),
        ("EMU", "beam"),
        ("PROGNAME", "erl"),
        ("PATH", "/ROOT/erts-15.2.7/bin:/ROOT/bin:/usr/bin:/bin"),
    ] {
        assert_eq!(run.env.get(name), Some(value.as_bytes()), "{name}");
    }
    assert_eq!(run.epmd, None);
}

#[test]
fn distribution_starts_epmd() {
    let epmd = |case: &str| {
        let (env, args) = take_apart(case);
        match front(&args).command(env, install(25, "13.1.5"), &RECORDED_HOST) {
            Ok(Command::Run(run)) => run.epmd.map(|text| String::from_utf8(text).expect("text")),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        epmd("-sname a").as_deref(),
        Some("\"/ROOT/erts-13.1.5/bin/epmd\" -daemon")
    );
    assert_eq!(epmd("-name a -epmd 'my epmd'").as_deref(), Some("my epmd"));
    assert_eq!(epmd("-sname a -start_epmd false"), None);
    assert_eq!(epmd("-noshell"), None);
}

#[test]
fn own_options_are_only_enigmas() {
    let read = |argv0: &str, line: &str, flags: Option<&str>| {
        let env: Env = flags
            .map(|flags| ("ENIGMA_FLAGS", flags))
            .into_iter()
            .collect();
        Front::read(
            argv0.as_bytes(),
            &split::split(line.as_bytes(), false),
            &env,
        )
    };
    let words = |args: &[Bytes]| String::from_utf8(args.join(&b' ')).expect("text");
    let line = "--otp /x -noshell --gc-stress --sim 0x10 -s a -extra --otp y";
    let front = read("enigma", line, None).expect("a command line");
    assert_eq!(front.options.otp, Some("/x".into()));
    assert_eq!(
        (front.options.gc_stress, front.options.verify_heap),
        (true, false)
    );
    assert_eq!(front.options.sim, Some(16));
    assert_eq!(words(&front.args), "-noshell -s a -extra --otp y");
    let front = read("/usr/bin/erl", line, Some("--verify-heap")).expect("a command line");
    assert_eq!(words(&front.args), line);
    assert_eq!(
        front.options,
        Options {
            verify_heap: true,
            ..Options::default()
        }
    );

    let front = read("x/enigma", "-S m --help", None).expect("run");
    assert_eq!(front.action, Action::Run);
    assert_eq!(words(&front.args), "-S m --help");

    let front = read("x/enigma", "--otp d inspect bifs --otp", None).expect("inspect");
    assert_eq!(front.action, Action::Inspect);
    assert_eq!(words(&front.args), "bifs --otp");
    assert_eq!(
        read("enigma", "-x inspect", None).expect("run").action,
        Action::Run
    );
    assert_eq!(
        read("enigma", "--version", None).expect("version").action,
        Action::Version
    );
    assert_eq!(
        read("enigma", "--help-enigma", None).expect("help").action,
        Action::Help
    );
    assert_eq!(
        read("enigma", "-version", None).expect("run").action,
        Action::Run
    );

    for (line, flags, text) in [
        (
            "--jit some",
            None,
            "--jit some: it may be off, on or always",
        ),
        ("--otp", None, "--otp needs an argument: DIR"),
        ("--sim x", None, "--sim x: the seed must be a number"),
        ("", Some("-x"), "ENIGMA_FLAGS: unknown option -x"),
    ] {
        let error = read("enigma", line, flags).expect_err(line).to_string();
        assert!(error.starts_with(&format!("enigma: {text}")), "{error}");
    }
}

#[test]
fn an_emulator_takes_the_launchers_result() {
    let args: Vec<Bytes> = ["-P", "3000", "--", "-root", "/ROOT", "--", "-x"]
        .map(|arg| arg.as_bytes().to_vec())
        .to_vec();
    let front = Front::read(b"/b/beam.smp", &args, &Env::default()).expect("a command line");
    assert_eq!(front.personality, Personality::Emulator);
    assert_eq!(front.search(&Env::default()).option, Some("/ROOT".into()));
    let command = front.command(Env::default(), install(27, "15.2.7"), &RECORDED_HOST);
    let Ok(Command::Run(run)) = command else {
        panic!("{command:?}")
    };
    assert_eq!(run.init_args, args[3..]);
    assert_eq!(run.emu.limits.processes, 4096);
}

#[test]
fn the_table_is_sound() {
    for (at, flag) in table::FLAGS.iter().enumerate() {
        assert!(
            !flag.meaning.is_empty() && !flag.meaning.ends_with('.'),
            "{}",
            flag.name
        );
        let emulator = flag.class == table::FlagClass::Emulator;
        assert_eq!(flag.name.starts_with('+'), emulator, "{}", flag.name);
        // A flag that is found by its beginning must come after all longer ones.
        for later in &table::FLAGS[at + 1..] {
            let hides = emulator
                && flag.matching == table::Match::Prefix
                && flag.pass != table::Pass::EarlyOnly
                && later.name.starts_with(flag.name);
            assert!(!hides, "{} hides {}", flag.name, later.name);
        }
    }
}

#[test]
fn the_documentation_lists_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/flags.md");
    let text = usage::document();
    if bless() {
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("docs");
        std::fs::write(&path, &text).expect("docs/flags.md is written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "docs/flags.md is out of date: run with ENIGMA_BLESS=1"
    );
}
