//! Draws figures as SVG: lines, marks and texts on white, as papers print them.

use std::fmt::Write;

/// Okabe and Ito's colours, told apart by nearly everyone.
pub(super) const COLOURS: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
];
/// What is drawn in no colour of its own.
pub(super) const INK: &str = "#1b1f24";
/// Lines that help to read a value.
const GRID: &str = "#d9dee3";
/// Height of the letters, px.
const LETTERS: f64 = 12.0;

/// The colour with a number; they repeat.
pub(super) fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

/// On which side of its place a text stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// The image that a mark stands for: a click on it opens the image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    /// The image's id.
    pub id: &'a str,
    /// The run's number.
    pub run: usize,
}

/// A figure.
#[derive(Debug, Clone)]
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// A text as XML can hold it: what it cannot is replaced.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

impl Svg {
    /// An empty figure.
    pub fn new(width: f64, height: f64) -> Self {
        Svg {
            width,
            height,
            body: String::new(),
        }
    }

    fn add(&mut self, words: std::fmt::Arguments<'_>) {
        // Writing into a text does not fail.
        let _ = self.body.write_fmt(words);
        self.body.push('\n');
    }

    /// A line; `dash` may be empty.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2], colour: &str, width: f64, dash: &str) {
        let dash = match dash {
            "" => String::new(),
            dash => format!(" stroke-dasharray=\"{dash}\""),
        };
        self.add(format_args!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"{dash}/>",
            from[0], from[1], to[0], to[1]
        ));
    }

    /// A line that helps to read a value.
    pub fn grid(&mut self, from: [f64; 2], to: [f64; 2]) {
        self.line(from, to, GRID, 1.0, "");
    }

    /// Straight lines from place to place.
    pub fn path(&mut self, places: &[[f64; 2]], colour: &str, width: f64) {
        let mut way = String::new();
        for (at, [x, y]) in places.iter().enumerate() {
            let letter = if at == 0 { 'M' } else { 'L' };
            let _ = write!(way, "{letter}{x:.1} {y:.1}");
        }
        self.add(format_args!(
            "<path d=\"{way}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"/>"
        ));
    }

    /// A box with a pale fill.
    pub fn pale_box(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], colour: &str) {
        self.add(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\" fill-opacity=\"0.16\" stroke=\"{colour}\" stroke-width=\"1\"/>"
        ));
    }

    /// A text.
    pub fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, text: &str) {
        self.styled(x, y, anchor, text, "");
    }

    /// A text that runs upwards.
    pub fn upwards(&mut self, [x, y]: [f64; 2], text: &str) {
        let turn = format!(" transform=\"rotate(-90 {x:.1} {y:.1})\"");
        self.styled(x, y, Anchor::Middle, text, &turn);
    }

    fn styled(&mut self, x: f64, y: f64, anchor: Anchor, text: &str, more: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{more}>{}</text>",
            escape(text)
        ));
    }

    /// A mark: its form tells it from others as its colour does. `is_open` leaves it empty; a title is shown when the pointer
    /// rests on it.
    pub fn mark(
        &mut self,
        form: usize,
        place: [f64; 2],
        size: f64,
        is_open: bool,
        of: Option<(Of<'_>, &str)>,
    ) {
        let colour = colour(form);
        let fill = match is_open {
            true => format!(
                "fill=\"#fff\" fill-opacity=\"0.8\" stroke=\"{colour}\" stroke-width=\"1.5\""
            ),
            false => format!(
                "fill=\"{colour}\" fill-opacity=\"0.8\" stroke=\"#fff\" stroke-width=\"0.5\""
            ),
        };
        let (data, title) = match of {
            Some((of, title)) => (
                format!(
                    " class=\"dot\" data-image=\"{}\" data-run=\"{}\"",
                    escape(of.id),
                    of.run
                ),
                format!("<title>{}</title>", escape(title)),
            ),
            None => (String::new(), String::new()),
        };
        let [x, y] = place;
        let corners = |corners: &[[f64; 2]]| {
            let places = corners
                .iter()
                .map(|[dx, dy]| format!("{:.1},{:.1}", x + dx * size, y + dy * size));
            format!(
                "polygon points=\"{}\"",
                places.collect::<Vec<_>>().join(" ")
            )
        };
        let (tag, name) = match form % 6 {
            0 => (
                format!("circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{size:.1}\""),
                "circle",
            ),
            1 => (
                corners(&[[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]]),
                "polygon",
            ),
            2 => (
                corners(&[[0.0, -1.15], [1.05, 0.8], [-1.05, 0.8]]),
                "polygon",
            ),
            3 => (
                corners(&[[0.0, -1.25], [1.25, 0.0], [0.0, 1.25], [-1.25, 0.0]]),
                "polygon",
            ),
            4 => (
                corners(&[[0.0, 1.15], [1.05, -0.8], [-1.05, -0.8]]),
                "polygon",
            ),
            _ => (
                corners(&[
                    [-0.35, -1.1],
                    [0.35, -1.1],
                    [0.35, -0.35],
                    [1.1, -0.35],
                    [1.1, 0.35],
                    [0.35, 0.35],
                    [0.35, 1.1],
                    [-0.35, 1.1],
                    [-0.35, 0.35],
                    [-1.1, 0.35],
                    [-1.1, -0.35],
                    [-0.35, -0.35],
                ]),
                "polygon",
            ),
        };
        match title.is_empty() {
            true => self.add(format_args!("<{tag} {fill}/>")),
            false => self.add(format_args!("<{tag} {fill}{data}>{title}</{name}>")),
        }
    }

    /// A small, faint dot.
    pub fn speck(&mut self, [x, y]: [f64; 2], colour: &str) {
        self.add(format_args!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"1.6\" fill=\"{colour}\" fill-opacity=\"0.3\"/>"
        ));
    }

    /// Explains marks, one entry below the other from a place on, each in the form and colour of its number.
    pub fn legend(&mut self, [x, y]: [f64; 2], names: &[String]) {
        for (at, name) in names.iter().enumerate() {
            let y = y + at as f64 * LEGEND_LINE;
            self.mark(at, [x + 5.0, y], 4.5, false, None);
            self.text([x + 16.0, y + 4.0], Anchor::Start, name);
        }
    }

    /// The whole figure; `label` says what it shows to those who cannot see it.
    pub fn finish(self, label: &str) -> String {
        let Svg {
            width,
            height,
            body,
        } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\" font-family=\"DejaVu Sans, Verdana, Arial, Helvetica, sans-serif\" font-size=\"{LETTERS}\" fill=\"{INK}\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{body}</svg>\n",
            escape(label)
        )
    }
}

/// Height of a legend's entry.
pub(super) const LEGEND_LINE: f64 = 18.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_breaks_a_figure() {
        let mut svg = Svg::new(10.0, 10.0);
        let name = "a\"><script>&\u{1}\u{ffff}";
        svg.text([1.0, 2.0], Anchor::End, name);
        svg.mark(
            0,
            [1.0, 2.0],
            3.0,
            true,
            Some((Of { id: name, run: 0 }, name)),
        );
        let text = svg.finish(name);
        assert!(
            !text.contains("<script") && !text.contains('\u{1}'),
            "{text}"
        );
        assert_eq!(
            text.matches("&lt;script&gt;&amp;\u{fffd}\u{fffd}").count(),
            4
        );
        // Whatever the form, what is opened is closed.
        for form in 0..6 {
            let mut svg = Svg::new(1.0, 1.0);
            svg.mark(
                form,
                [0.0, 0.0],
                1.0,
                false,
                Some((Of { id: "x", run: 0 }, "x")),
            );
            let text = svg.finish("");
            let opened = text.matches("<circle").count() + text.matches("<polygon").count();
            let closed = text.matches("</circle>").count() + text.matches("</polygon>").count();
            assert_eq!((opened, closed), (1, 1), "{text}");
        }
    }
}
