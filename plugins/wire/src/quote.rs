/// The most of a server's bytes that an error quotes: enough to recognise a proxy's page, too
/// little to spill a body into the log.
pub const MAX_QUOTE: usize = 200;

/// A vendor's own error message is kept longer: it often names the limit that was exceeded.
const MAX_MESSAGE: usize = 2048;

/// The first bytes as one line of text, at most [`MAX_QUOTE`] bytes; bytes that are not UTF-8 show
/// as U+FFFD, control characters as blanks.
pub fn quote(bytes: &[u8]) -> String {
    // Room for a character that begins before the limit and ends behind it.
    let head = &bytes[..bytes.len().min(MAX_QUOTE + 4)];
    let text = String::from_utf8_lossy(head);
    clip(&text, MAX_QUOTE)
}

/// A vendor's message on one line, at most 2 KiB.
pub fn message(text: &str) -> String {
    clip(text, MAX_MESSAGE)
}

fn clip(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    for c in text.trim().chars() {
        let c = if c.is_control() { ' ' } else { c };
        if c == ' ' && out.ends_with(' ') {
            continue;
        }
        if out.len() + c.len_utf8() > max {
            break;
        }
        out.push(c);
    }
    out
}

/// What a person would call a body that is not JSON: an HTML page's title, else its first line.
pub fn first_line(body: &[u8]) -> String {
    let head = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    if let Some(title) = html_title(&head) {
        return quote(title.as_bytes());
    }
    let line = head.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    quote(line.as_bytes())
}

fn html_title(page: &str) -> Option<&str> {
    // ASCII lower case keeps every byte offset.
    let lower = page.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower[open..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = page[start..end].trim();
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_short_single_lines_of_valid_text() {
        let table: &[(&[u8], &str)] = &[
            (b"plain", "plain"),
            (b"  two\r\n\tlines ", "two lines"),
            (b"\xff\xfe\x00", "\u{fffd}\u{fffd}"),
            ("größer".as_bytes(), "größer"),
        ];
        for (bytes, said) in table {
            assert_eq!(quote(bytes).trim_end(), *said);
        }
        for long in [vec![b'x'; 9000], vec![0xff; 9000], "→".repeat(3000).into_bytes()] {
            let said = quote(&long);
            assert!(said.len() <= MAX_QUOTE && said.len() > MAX_QUOTE - 4, "{}", said.len());
        }
    }

    #[test]
    fn a_page_is_named_by_its_title_else_its_first_line() {
        let table = [
            (
                "<html>\n<head><TITLE>502 Bad Gateway</TITLE></head>\n<center>nginx</center>",
                "502 Bad Gateway",
            ),
            ("\n\nupstream connect error\nreset", "upstream connect error"),
            ("<html><title></title>", "<html><title></title>"),
            ("", ""),
        ];
        for (page, said) in table {
            assert_eq!(first_line(page.as_bytes()), said);
        }
    }
}
