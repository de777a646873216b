#[path = "closed_loop/report/charts.rs"]
mod charts;
fn main() {
    let rows: Vec<charts::Row> = [
        ("Spring sale – video A", 120000, 130000),
        ("Always on – free consultation <b>", 50000, 40000),
        ("x", 0, 10),
    ]
    .iter()
    .map(|(l, a, b)| charts::Row { label: (*l).to_owned(), values: vec![*a, *b] })
    .collect();
    let s = charts::BarChart {
        series: &[("before", charts::SLATE), ("after", charts::BLUE)],
        rows: &rows,
        format: &|v| format!("{v} USD"),
    }
    .to_svg()
    .unwrap();
    println!("<html><body>{s}</body></html>");
}
