//! How a night went: lines a second and retries over time, one above the other. The time between runs is left out, and each run but
//! the first begins with an upright line.

use std::collections::BTreeMap;
use std::time::Duration;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Done, Report, per};

const SIZE: (u32, u32) = (900, 460);
/// As many steps as can be told from each other.
const STEPS: u32 = 60;
/// The shortest step that says anything about a rate.
const SHORTEST: f64 = 0.02;
const FONT: (&str, u32) = ("sans-serif", 13);
const LINES: RGBColor = RGBColor(90, 140, 190);
const RETRIES: RGBColor = RGBColor(190, 60, 50);
const RUN: RGBColor = RGBColor(120, 120, 120);

/// What is drawn.
#[derive(Debug, PartialEq)]
pub(super) struct Course {
    /// Seconds of a step.
    pub(super) step: f64,
    pub(super) lines_a_second: Vec<f64>,
    pub(super) retries: Vec<f64>,
    /// When each run but the first began, in seconds.
    pub(super) began: Vec<f64>,
}

/// How long all runs took together, from the begin of each to its last chunk.
pub(super) fn length(chunks: &[Done]) -> Duration {
    lengths(chunks).into_values().sum()
}

fn lengths(chunks: &[Done]) -> BTreeMap<u64, Duration> {
    let mut lengths = BTreeMap::<u64, Duration>::new();
    for done in chunks {
        let length = lengths.entry(done.run).or_default();
        *length = done.at.max(*length);
    }
    lengths
}

/// The runs one after the other.
pub(super) fn course(chunks: &[Done]) -> Course {
    let step = (length(chunks).as_secs_f64() / f64::from(STEPS)).max(SHORTEST);
    let mut course = Course { step, lines_a_second: Vec::new(), retries: Vec::new(), began: Vec::new() };
    let (mut began, mut begins) = (Duration::ZERO, BTreeMap::new());
    for (run, length) in lengths(chunks) {
        begins.insert(run, began);
        began += length;
    }
    course.began = begins.values().skip(1).map(Duration::as_secs_f64).collect();
    for done in chunks {
        let at = ((begins[&done.run] + done.at).as_secs_f64() / step).floor();
        let at = (0..STEPS).rposition(|place| f64::from(place) <= at).unwrap_or_default();
        course.count(at, done);
    }
    course
}

impl Course {
    fn count(&mut self, at: usize, done: &Done) {
        if self.retries.len() <= at {
            self.retries.resize(at + 1, 0.0);
            self.lines_a_second.resize(at + 1, 0.0);
        }
        self.lines_a_second[at] += per(done.lines, self.step);
        self.retries[at] += per(done.retries, 1.0);
    }
}

/// As SVG.
pub(super) fn draw(report: &Report) -> Result<String, String> {
    let mut svg = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw_on(&root, &report.night, &course(&report.chunks))
    };
    drawn.map(|()| svg).map_err(|error| error.to_string())
}

type Failure<'b> = DrawingAreaErrorKind<<SVGBackend<'b> as DrawingBackend>::ErrorType>;

fn draw_on<'b>(root: &DrawingArea<SVGBackend<'b>, Shift>, night: &str, course: &Course) -> Result<(), Failure<'b>> {
    root.fill(&WHITE)?;
    let halves = root.split_evenly((2, 1));
    panel(&halves[0], &format!("{night}: lines a second"), LINES, course, &course.lines_a_second)?;
    panel(&halves[1], "retries", RETRIES, course, &course.retries)?;
    root.present()
}

fn panel<'b>(
    area: &DrawingArea<SVGBackend<'b>, Shift>,
    title: &str,
    colour: RGBColor,
    course: &Course,
    values: &[f64],
) -> Result<(), Failure<'b>> {
    let highest = values.iter().copied().fold(1.0, f64::max) * 1.1;
    let end = course.step * f64::from(u32::try_from(values.len()).unwrap_or(STEPS).max(1));
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(8)
        .margin_right(24)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, 0.0..highest)?;
    // Both are counts: a mark between two of them has no number.
    let number = |value: &f64| if value.fract() == 0.0 { format!("{value:.0}") } else { String::new() };
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().x_desc("seconds of work").label_style(FONT).y_label_formatter(&number).draw()?;
    let bars = (0_u32..).map(f64::from).zip(values).map(|(place, value)| {
        let corners = [(place * course.step, 0.0), ((place + 1.0) * course.step, *value)];
        Rectangle::new(corners, colour.filled())
    });
    chart.draw_series(bars)?;
    let runs = course.began.iter().map(|at| PathElement::new([(*at, 0.0), (*at, highest)], RUN.stroke_width(2)));
    chart.draw_series(runs)?;
    Ok(())
}
