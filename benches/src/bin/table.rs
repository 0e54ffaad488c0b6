//! Prints what this run says of each budget: everything as text, the budgets alone as Markdown.

use monitor_backend_benches::{
    budgets::{self, Line},
    figures::Figures,
};

fn main() -> anyhow::Result<()> {
    let lines = budgets::table(&Figures::load()?);
    for line in &lines {
        let [measured, kept, word] = columns(line);
        println!("{:<52} {:>14} {measured:>14} {kept:>6}  {word}", line.what, line.budget);
    }
    println!("\n| what | budget | measured | kept | |\n|---|---|---|---|---|");
    for line in lines.iter().filter(|line| !line.budget.is_empty()) {
        let [measured, kept, word] = columns(line);
        println!("| {} | {} | {measured} | {kept} | {word} |", line.what, line.budget);
    }
    Ok(())
}

/// What was measured, how many times the budget that is, and the judgement.
fn columns(line: &Line) -> [String; 3] {
    let measured = line.measured.clone().unwrap_or_else(|| "not measured".into());
    let kept = match line.kept {
        Some(kept) if kept >= 100.0 => "> 99".to_owned(),
        Some(kept) => format!("{kept:.2}"),
        None => String::new(),
    };
    let word = match line.kept {
        Some(kept) if kept >= 1.0 => "ok",
        Some(_) => "missed",
        None => "",
    };
    [measured, kept, word.into()]
}
