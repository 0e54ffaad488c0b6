//! `[problems]`: when something counts as a problem, and which kinds are looked for.

use super::file::File;
use crate::views::problems::Thresholds;

/// Takes the section out of the file.
pub fn section(file: &mut File) -> Thresholds {
    file.checked("problems", Thresholds::fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::problems::Kind;

    fn read(text: &str) -> (Thresholds, Vec<String>) {
        let mut file = File::parse(text);
        (section(&mut file), file.faults)
    }

    #[test]
    fn what_is_not_named_has_its_default() {
        let (thresholds, faults) =
            read("[problems]\nvolume_warning_percent = 70\noff = [\"slow_requests\"]\n");
        let expected = Thresholds {
            volume_warning_percent: 70,
            off: vec![Kind::SlowRequests],
            ..Thresholds::default()
        };
        assert_eq!((thresholds, faults), (expected, Vec::new()));
    }

    #[test]
    fn the_readme_has_every_threshold_with_its_default() {
        let readme = include_str!("../../README.md");
        let between = |start: &str, end: &str| {
            let (_, rest) = readme.split_once(start).expect("it has that part");
            rest.split_once(end).expect("the part ends").0
        };
        let table = between("| kind | is named when |", "\n\n");
        let listed = between("```toml\n[problems]\n", "```");
        let defaults = format!("{:#?}", Thresholds::default());
        let fields = defaults.lines().filter_map(|line| line.trim().split_once(": "));
        for (name, value) in fields {
            let line = format!("{name} = {}", value.trim_end_matches(','));
            let is_listed = listed.lines().any(|l| l.split('#').next().unwrap().trim_end() == line);
            assert!(is_listed, "{line}");
            assert!(name == "off" || table.contains(&format!("`{name}`")), "{name}");
        }
        let rows = table.lines().filter_map(|row| row.strip_prefix("| `")?.split_once('`'));
        let kinds: Vec<&str> = rows.map(|(kind, _)| kind).collect();
        let (thresholds, faults) = read(&format!("[problems]\noff = {kinds:?}\n"));
        assert_eq!((thresholds.off.len(), faults), (14, Vec::new()), "each is a kind");
    }

    #[test]
    fn a_fault_costs_the_section_and_is_named() {
        for (text, named) in [
            ("off = [\"sadness\"]", "sadness"),
            ("errors_factor = 0", "errors_factor"),
            ("patience = 1", "patience"),
        ] {
            let (thresholds, faults) = read(&format!("[problems]\njob_hours = 1\n{text}\n"));
            assert_eq!(thresholds, Thresholds::default());
            assert!(faults[0].contains(named), "{faults:?}");
        }
    }
}
