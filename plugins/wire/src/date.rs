/// Seconds since 1970 of an HTTP date (RFC 9110, 5.6.7) in the one form that servers send:
/// `Wed, 21 Oct 2026 07:28:00 GMT`. `None` for anything else.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let (_, rest) = text.trim().split_once(", ")?;
    let mut parts = rest.split(' ');
    let mut next = || parts.next();
    let (day, month, year, time) = (next()?, next()?, next()?, next()?);
    if next()? != "GMT" || month.len() != 3 {
        return None;
    }
    let month = MONTHS.find(month).filter(|at| at % 3 == 0)? as i64 / 3;
    let number = |text: &str| text.parse::<u16>().ok().map(i64::from);
    let (day, year) = (number(day)?, number(year)?);
    let mut clock = time.split(':').map(number);
    let mut next = || clock.next().flatten();
    let (hour, minute, second) = (next()?, next()?, next()?);
    // Counted from March, leap days come last: Howard Hinnant, "chrono-compatible low-level date algorithms".
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let of_the_year = (153 * month + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + of_the_year - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn http_dates_are_seconds() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199)),
            ("Wed, 25 Nov 2026 08:27:19 GMT", Some(1_795_595_239)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 ovD 1994 08:49:37 GMT", None),
            ("Sun, -6 Nov 1994 08:49 GMT", None),
            ("20", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
