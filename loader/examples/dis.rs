//! Lists files.
fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a[1] == "md5" {
        for p in &a[2..] {
            let d = std::fs::read(p).unwrap();
            let f = enigma_loader::BeamFile::parse_unverified(&d).unwrap();
            let h: String = f.md5.iter().map(|b| format!("{b:02x}")).collect();
            println!("{h} {p}");
        }
        return;
    }
    let d = std::fs::read(&a[1]).unwrap();
    let f = enigma_loader::BeamFile::parse_unverified(&d).unwrap();
    let mut s = String::new();
    if a.len() > 2 {
        let (n, ar) = a[2].rsplit_once('/').unwrap();
        f.disassemble_function(f.function_by_name(n, ar.parse().unwrap()).unwrap(), &mut s)
            .unwrap();
    } else {
        f.disassemble(&mut s).unwrap();
    }
    print!("{s}");
}
