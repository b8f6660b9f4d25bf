//! Columns, aligned so that they are read as they are and as Markdown.

/// Rows of cells; the first column is set left, the others right.
pub(super) fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .chain(std::iter::once(&head.to_vec()))
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .collect::<Vec<_>>();
        cells.into_iter().max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let mut text = String::from("|");
        for (column, width) in widths.iter().enumerate() {
            let cell = cells.get(column).map_or("", String::as_str);
            let padded = if column == 0 { format!(" {cell:<width$} |") } else { format!(" {cell:>width$} |") };
            text.push_str(&padded);
        }
        text.push('\n');
        text
    };
    let rule = |(column, width): (usize, &usize)| {
        let dashes = "-".repeat(*width);
        if column == 0 { format!(" {dashes} |") } else { format!(" {}: |", dashes.get(1..).unwrap_or_default()) }
    };
    let mut text = line(head);
    text.push('|');
    text.extend(widths.iter().enumerate().map(rule));
    text.push('\n');
    text.extend(rows.iter().map(|row| line(row)));
    text
}

/// A figure without decimals, or a dash.
pub(super) fn whole(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.0}"))
}

/// How many times `to` goes into `value`, or a dash.
pub(super) fn ratio(value: Option<f64>, to: Option<f64>) -> String {
    match (value, to) {
        (Some(value), Some(to)) if to > 0.0 => format!("{:.2}", value / to),
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let cells = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        let text = table(&cells(&["name", "µs"]), &[cells(&["a", "12345"]), cells(&["längst", "1"])]);
        assert_eq!(text, "| name   |    µs |\n| ------ | ----: |\n| a      | 12345 |\n| längst |     1 |\n");
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        assert_eq!((whole(None), whole(Some(1.6))), ("–".to_owned(), "2".to_owned()));
        assert_eq!((ratio(Some(3.0), Some(2.0)), ratio(None, Some(2.0))), ("1.50".to_owned(), "–".to_owned()));
        assert_eq!(ratio(Some(1.0), Some(0.0)), "–");
    }
}
