//! One kind of plot: horizontal bars with their intervals and, upright, the lines that they are to be held against.

use plotters::prelude::*;

use crate::Failure;
use crate::statistics::Spread;

/// What is drawn.
#[derive(Debug)]
pub(crate) struct Plot<'p> {
    pub(crate) title: &'p str,
    pub(crate) axis: &'p str,
    /// From top to bottom.
    pub(crate) bars: Vec<(String, Spread)>,
    /// Where there is a bound.
    pub(crate) lines: &'p [f64],
}

const WIDTH: u32 = 760;
const ROW: u32 = 24;
const AROUND: u32 = 100;
const LABELS: u32 = 190;
const FONT: (&str, u32) = ("sans-serif", 14);
const BAR: RGBColor = RGBColor(90, 140, 190);
const BOUND: RGBColor = RGBColor(190, 60, 50);

impl Plot<'_> {
    /// As SVG.
    pub(crate) fn draw(&self) -> Result<String, Failure> {
        let mut svg = String::new();
        let rows = u32::try_from(self.bars.len())?;
        {
            let root = SVGBackend::with_string(&mut svg, (WIDTH, rows * ROW + AROUND)).into_drawing_area();
            root.fill(&WHITE)?;
            self.draw_on(&root, rows).map_err(|error| error.to_string())?;
            root.present()?;
        }
        Ok(svg)
    }

    fn draw_on<'b>(
        &self,
        root: &DrawingArea<SVGBackend<'b>, plotters::coord::Shift>,
        rows: u32,
    ) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'b> as DrawingBackend>::ErrorType>> {
        let mut chart = ChartBuilder::on(root)
            .caption(self.title, ("sans-serif", 18))
            .margin(8)
            .margin_right(24)
            .x_label_area_size(44)
            .y_label_area_size(LABELS)
            .build_cartesian_2d(0.0..self.widest() * 1.05, (0..rows).into_segmented())?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .x_desc(self.axis)
            .y_labels(self.bars.len())
            .y_label_formatter(&|place| self.label(place, rows))
            .label_style(FONT)
            .draw()?;
        let from_below = || self.bars.iter().rev().zip(0..);
        chart.draw_series(from_below().map(|((_, spread), row)| {
            let corners = [(0.0, SegmentValue::Exact(row)), (spread.median, SegmentValue::Exact(row + 1))];
            let mut bar = Rectangle::new(corners, BAR.filled());
            bar.set_margin(4, 4, 0, 0);
            bar
        }))?;
        chart.draw_series(from_below().map(|((_, spread), row)| {
            let ends = [(spread.low, SegmentValue::CenterOf(row)), (spread.high, SegmentValue::CenterOf(row))];
            PathElement::new(ends, BLACK.stroke_width(2))
        }))?;
        chart.draw_series(self.lines.iter().map(|line| {
            PathElement::new([(*line, SegmentValue::Exact(0)), (*line, SegmentValue::Last)], BOUND.stroke_width(1))
        }))?;
        Ok(())
    }

    fn label(&self, place: &SegmentValue<u32>, rows: u32) -> String {
        match place {
            SegmentValue::CenterOf(row) if *row < rows => {
                let from_above = usize::try_from(rows - 1 - row).unwrap_or_default();
                self.bars.get(from_above).map(|(label, _)| label.clone()).unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    fn widest(&self) -> f64 {
        let ends = self.bars.iter().map(|(_, spread)| spread.high.max(spread.median));
        ends.chain(self.lines.iter().copied()).fold(f64::MIN_POSITIVE, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_is_named_and_the_first_one_is_on_top() {
        let one = |label: &str| (label.to_owned(), Spread { median: 1.0, low: 0.5, high: 1.5 });
        let plot = Plot { title: "Title", axis: "axis", bars: vec![one("first"), one("second")], lines: &[0.8] };
        let svg = plot.draw().expect("drawn");
        for word in ["Title", "axis", "first", "second"] {
            assert_eq!(svg.matches(&format!("\n{word}\n")).count(), 1, "`{word}` in {svg}");
        }
        let height = |label: &str| {
            let before = &svg[..svg.find(&format!("\n{label}\n")).expect("a label")];
            let y = &before[before.rfind(" y=\"").expect("a place") + 4..];
            y[..y.find('"').expect("an end")].parse::<i32>().expect("a number")
        };
        assert!(height("first") < height("second"), "{svg}");
        assert_eq!(svg, plot.draw().expect("drawn"), "the same figures give the same file");
    }
}
