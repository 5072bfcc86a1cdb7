use aiagent_adapter_anthropic::Anthropic;
use aiagent_adapter_openai::OpenAi;
use aiagent_wire::decoder::Decoder;
use aiagent_wire::types::{Completion, Event, Header, ModelError, Settings};
use aiagent_wire::vendor::Vendor;

/// Longer than any vendor's own words that are worth a line of a log.
const LONGEST_ERROR: usize = 2_000;

/// The first byte chooses the status, the second the pieces it comes in, the rest is the body. However a
/// network cuts a response, it is read the same.
///
/// # Panics
/// Where it is not, or an error is too long to show.
pub fn decoder(data: &[u8]) {
    let [status, cut, body @ ..] = data else { return };
    let status = [200, 200, 200, 400, 401, 413, 429, 500, 529, 302][usize::from(*status) % 10];
    let piece = usize::from(*cut) % 64 + 1;
    both::<OpenAi>(status, body, piece);
    both::<Anthropic>(status, body, piece);
}

fn both<V: Vendor>(status: u16, body: &[u8], piece: usize) {
    let whole = read::<V>(status, &mut std::iter::once(body));
    assert_eq!(read::<V>(status, &mut body.chunks(piece)), whole, "in pieces of {piece}");
    if let Err(error) = &whole.2 {
        let shown = format!("{error:?}");
        assert!(shown.len() < LONGEST_ERROR, "{} bytes: {shown}", shown.len());
    }
}

type Reading = (String, String, Result<Completion, ModelError>);

fn read<V: Vendor>(status: u16, pieces: &mut dyn Iterator<Item = &[u8]>) -> Reading {
    let headers: Vec<Header> = vec![("retry-after".to_owned(), "2".to_owned())];
    let settings = Settings { model: "configured".to_owned(), stream: true, extra: Vec::new() };
    let mut decoder = Decoder::<V>::new(status, headers, settings);
    let (mut text, mut thinking) = (String::new(), String::new());
    for piece in pieces {
        for event in decoder.push(piece) {
            match event {
                Event::Text(more) => text += &more,
                Event::Thinking(more) => thinking += &more,
            }
        }
    }
    (text, thinking, decoder.finish())
}
