//! Tables that can be shown and pasted: as Markdown, LaTeX and CSV.

use serde::ser::Error;
use serde::{Serialize, Serializer};

use super::super::statistics::Estimate;
use super::words::{NOTHING, number, signed, unsigned_zero};

/// A table of the report.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// The stem of its files.
    pub name: String,
    /// What stands above it; may be empty.
    pub caption: String,
    /// The columns' names.
    pub head: Vec<String>,
    /// Its rows, each with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// How many of the last rows sum up the others.
    pub sums: usize,
    /// Whether all columns hold text.
    pub is_text: bool,
}

/// What stands in a cell.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// A text.
    Text(String),
    /// A count.
    Count(usize),
    /// A number with so many decimals, and whether a plus is worth showing.
    Number(Option<f64>, usize, bool),
    /// A mean with its interval, median and n.
    Mean(Option<Estimate>, Style),
}

/// How a mean is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Decimals.
    pub places: usize,
    /// Whether a plus is worth showing.
    pub is_signed: bool,
    /// Whether the median stands there too.
    pub has_median: bool,
}

impl Default for Style {
    fn default() -> Self {
        Style {
            places: 3,
            is_signed: false,
            has_median: true,
        }
    }
}

impl Style {
    fn number(self, value: f64) -> String {
        shown(Some(value), self.places, self.is_signed)
    }
}

fn shown(value: Option<f64>, places: usize, is_signed: bool) -> String {
    match is_signed {
        true => signed(value, places),
        false => number(value, places),
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Cell::Count(count)
    }
}

impl Cell {
    /// Its lines on the page.
    fn lines(&self) -> Vec<String> {
        match self {
            Cell::Text(text) => vec![text.clone()],
            Cell::Count(count) => vec![count.to_string()],
            Cell::Number(value, places, signed) => vec![shown(*value, *places, *signed)],
            Cell::Mean(None, _) => vec![NOTHING.to_owned()],
            Cell::Mean(Some(mean), style) => {
                let interval = format!("[{}, {}]", style.number(mean.low), style.number(mean.high));
                let n = match style.has_median {
                    true => format!("median {}, n = {}", style.number(mean.median), mean.n),
                    false => format!("n = {}", mean.n),
                };
                vec![style.number(mean.mean), interval, n]
            }
        }
    }

    /// In one line, as a paper's table has it.
    fn line(&self) -> String {
        match self {
            Cell::Mean(Some(mean), style) => format!(
                "{} [{}, {}], n = {}",
                style.number(mean.mean),
                style.number(mean.low),
                style.number(mean.high),
                mean.n
            ),
            other => other.lines().concat(),
        }
    }

    /// As cells of a CSV file, as many as the column has parts.
    fn parts(&self, is_mean: bool) -> Vec<String> {
        let six = |value: f64| unsigned_zero(value, 6);
        match self {
            Cell::Mean(Some(mean), _) => vec![
                six(mean.mean),
                six(mean.low),
                six(mean.high),
                six(mean.median),
                mean.n.to_string(),
            ],
            Cell::Mean(None, _) => vec![String::new(); PARTS.len()],
            Cell::Text(text) if is_mean => {
                let mut parts = vec![String::new(); PARTS.len()];
                parts[0] = plain(text);
                parts
            }
            Cell::Text(text) => vec![plain(text)],
            Cell::Count(count) => vec![count.to_string()],
            Cell::Number(value, ..) => vec![value.map_or(String::new(), six)],
        }
    }
}

/// A text as a cell of a CSV file: empty instead of a dash.
fn plain(text: &str) -> String {
    match text {
        NOTHING => String::new(),
        text => super::super::report_files::cell(text),
    }
}

/// What a column of means becomes in a CSV file.
const PARTS: [&str; 5] = ["", " low", " high", " median", " n"];

/// A table as the page gets it.
#[derive(Serialize)]
struct ShownTable<'a> {
    name: &'a str,
    caption: &'a str,
    head: &'a [String],
    rows: Vec<Vec<Vec<String>>>,
    sums: usize,
    is_text: bool,
    markdown: String,
    latex: String,
    csv: String,
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.rows.iter();
        let shown = ShownTable {
            name: &self.name,
            caption: &self.caption,
            head: &self.head,
            rows: rows
                .map(|row| row.iter().map(Cell::lines).collect())
                .collect(),
            sums: self.sums,
            is_text: self.is_text,
            markdown: self.markdown(),
            latex: self.latex(),
            csv: self.csv().map_err(S::Error::custom)?,
        };
        shown.serialize(serializer)
    }
}

impl Table {
    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        if !self.caption.is_empty() {
            text += &format!("{}\n\n", escape_markdown(&self.caption));
        }
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        text += &line(self.head.iter().map(|name| escape_markdown(name)).collect());
        let sides = (0..self.head.len()).map(|column| match column == 0 || self.is_text {
            true => "---".to_owned(),
            false => "---:".to_owned(),
        });
        text += &line(sides.collect());
        for row in &self.rows {
            let cells = row.iter().map(|cell| match cell {
                Cell::Text(text) => escape_markdown(text),
                cell => cell.line(),
            });
            text += &line(cells.collect());
        }
        text
    }

    /// As LaTeX, for the package `booktabs`.
    pub fn latex(&self) -> String {
        let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
        let side = if self.is_text { "l" } else { "r" };
        let mut text = "\\begin{table}\n\\centering\n".to_owned();
        if !self.caption.is_empty() {
            text += &format!("\\caption{{{}}}\n", escape_latex(&self.caption));
        }
        text += &format!(
            "\\begin{{tabular}}{{l{}}}\n\\toprule\n",
            side.repeat(self.head.len().saturating_sub(1))
        );
        text += &line(self.head.iter().map(|name| escape_latex(name)).collect());
        text += "\\midrule\n";
        for (at, row) in self.rows.iter().enumerate() {
            if self.sums > 0 && at + self.sums == self.rows.len() && at > 0 {
                text += "\\midrule\n";
            }
            text += &line(row.iter().map(|cell| escape_latex(&cell.line())).collect());
        }
        text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n"
    }

    /// As CSV, with a column each for a mean, its interval, median and n.
    ///
    /// # Errors
    /// When the table has rows of different lengths.
    pub fn csv(&self) -> Result<String, csv::Error> {
        let is_mean = |column: usize| {
            let mut cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.any(|cell| matches!(cell, Cell::Mean(..)))
        };
        let means: Vec<bool> = (0..self.head.len()).map(is_mean).collect();
        let mut head = Vec::new();
        for (name, &is_mean) in self.head.iter().zip(&means) {
            match is_mean {
                true => head.extend(PARTS.map(|part| format!("{name}{part}"))),
                false => head.push(plain(name)),
            }
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(head)?;
        for row in &self.rows {
            let cells = row.iter().zip(&means);
            writer.write_record(cells.flat_map(|(cell, &mean)| cell.parts(mean)))?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn escape_markdown(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' => escaped.extend(['\\', c]),
            '<' => escaped += "&lt;",
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

fn escape_latex(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', c]),
            '\\' => escaped += "\\textbackslash{}",
            '~' => escaped += "\\textasciitilde{}",
            '^' => escaped += "\\textasciicircum{}",
            '<' => escaped += "$<$",
            '>' => escaped += "$>$",
            '\u{2212}' => escaped += "$-$",
            '–' => escaped += "--",
            '…' => escaped += "\\dots{}",
            'µ' => escaped += "$\\mu$",
            '²' => escaped += "$^2$",
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::super::statistics::summarise;
    use super::*;

    fn table() -> Table {
        let mean = summarise(&[0.5, 0.75], 1);
        Table {
            name: "t".to_owned(),
            caption: "Dice of a_b & c".to_owned(),
            head: vec!["organ".to_owned(), "a|b".to_owned(), "n".to_owned()],
            rows: vec![
                vec!["=1+1".into(), Cell::Mean(mean, Style::default()), 2.into()],
                vec![
                    "mean, all".into(),
                    Cell::Mean(None, Style::default()),
                    0.into(),
                ],
            ],
            sums: 1,
            is_text: false,
        }
    }

    #[test]
    fn a_table_pastes_as_markdown_latex_and_csv() {
        assert_eq!(
            table().markdown(),
            "Dice of a\\_b & c\n\n| organ | a\\|b | n |\n| --- | ---: | ---: |\n\
             | =1+1 | 0.625 [0.500, 0.750], n = 2 | 2 |\n| mean, all | – | 0 |\n"
        );
        assert_eq!(
            table().latex(),
            "\\begin{table}\n\\centering\n\\caption{Dice of a\\_b \\& c}\n\\begin{tabular}{lrr}\n\\toprule\n\
             organ & a|b & n \\\\\n\\midrule\n=1+1 & 0.625 [0.500, 0.750], n = 2 & 2 \\\\\n\\midrule\n\
             mean, all & -- & 0 \\\\\n\\bottomrule\n\\end{tabular}\n\\end{table}\n"
        );
        assert_eq!(
            table().csv().unwrap(),
            "organ,a|b,a|b low,a|b high,a|b median,a|b n,n\n\
             '=1+1,0.625000,0.500000,0.750000,0.625000,2,2\n\"mean, all\",,,,,,0\n"
        );
    }

    #[test]
    fn every_cell_of_a_line_reads_back_from_csv() {
        let mut table = table();
        table.rows[0][0] = "a \"b\",\nc".into();
        let text = table.csv().unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!((&row[0], row.len()), ("a \"b\",\nc", 7));
    }
}
