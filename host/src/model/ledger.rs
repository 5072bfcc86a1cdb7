//! What a call may use, and what it cost.

use super::{Completion, ModelConfig, ModelError, Price, Request, Usage};

/// No prompt has fewer tokens than its bytes divided by this: code has 3 to 4 bytes a token and
/// prose 4 to 5, only long runs of one character come near. So it refuses what can't fit, never what
/// may; the rest is the vendor's to say.
const MOST_BYTES_PER_TOKEN: u64 = 16;

/// Of code, on average: the contract's own rule (`wit/model.wit`).
const BYTES_PER_TOKEN: u64 = 3;

/// Counts tokens by their bytes where the vendor reports none, so that a budget binds all the same.
/// `thought` are the bytes of thinking, which is paid for like text. Returns whether it had to.
pub(super) fn estimate(request_bytes: u64, thought: u64, completion: &mut Completion) -> bool {
    let Usage { input_tokens, output_tokens } = &mut completion.usage;
    let written = completion.text.len() as u64 + thought;
    let mut estimated = false;
    for (tokens, bytes) in [(input_tokens, request_bytes), (output_tokens, written)] {
        if *tokens == 0 && bytes > 0 {
            *tokens = bytes.div_ceil(BYTES_PER_TOKEN);
            estimated = true;
        }
    }
    estimated
}

/// The text of a request, in bytes.
pub(super) fn bytes(request: &Request) -> u64 {
    request.messages.iter().map(|message| message.content.len() as u64).sum()
}

/// In millionths of the price list's currency, rounded up to a whole one, so that many small calls
/// never count as none. `None` where a price is missing.
pub(super) fn cost(config: &ModelConfig, usage: Usage) -> Option<u64> {
    let part = |tokens: u64, price: Price| u128::from(tokens) * u128::from(price.micros());
    let scaled =
        part(usage.input_tokens, config.price_input?) + part(usage.output_tokens, config.price_output?);
    Some(u64::try_from(scaled.div_ceil(1_000_000)).unwrap_or(u64::MAX))
}

/// The request as the budget allows it, with `max_tokens` lowered where less is left; or the refusal.
///
/// `max_tokens` stays unset where neither the caller nor the budget sets it: vendors refuse a number
/// beyond their own limit.
pub(super) fn fit(
    config: &ModelConfig,
    mut request: Request,
    tokens_left: Option<u64>,
    cost_left: Option<u64>,
) -> Result<Request, ModelError> {
    let bytes = bytes(&request);
    let prompt = bytes / MOST_BYTES_PER_TOKEN;
    if prompt >= u64::from(config.context_window) {
        return Err(ModelError::ContextTooLong(format!(
            "{bytes} bytes are at least {prompt} tokens, and {} takes {} ([models.{}] context_window)",
            config.model, config.context_window, config.name
        )));
    }
    let mut room = u64::MAX;
    if let Some(left) = tokens_left {
        room = left.saturating_sub(prompt);
        if room == 0 {
            return Err(ModelError::Budget(format!(
                "{left} tokens are left, and the prompt alone has {prompt}"
            )));
        }
    }
    if let Some(left) = cost_left {
        let floor = cost(config, Usage { input_tokens: prompt, output_tokens: 1 }).ok_or_else(|| {
            ModelError::Budget(format!(
                "a budget of money needs prices: [models.{}] price_input, price_output",
                config.name
            ))
        })?;
        let price = config.price_output.map_or(0, Price::micros);
        if left == 0 || floor > left {
            return Err(ModelError::Budget(format!(
                "{left} millionths are left, and the prompt alone costs {floor}"
            )));
        }
        let input = cost(config, Usage { input_tokens: prompt, output_tokens: 0 }).unwrap_or(0);
        let affordable = (left - input).saturating_mul(1_000_000).checked_div(price).unwrap_or(u64::MAX);
        room = room.min(affordable.max(1));
    }
    let binding = (room < u64::from(config.context_window)).then(|| u32::try_from(room).unwrap_or(u32::MAX));
    let wanted = [request.max_tokens, binding].into_iter().flatten().min();
    request.max_tokens = wanted.map(|wanted| wanted.min(config.max_output.unwrap_or(u32::MAX)));
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FinishReason, Message, Role};

    fn config() -> ModelConfig {
        let mut config = ModelConfig::new("m", "a", "vendor-m");
        config.context_window = 1000;
        config.price_input = Some("3".parse().expect("a price"));
        config.price_output = Some("15".parse().expect("a price"));
        config
    }

    fn request(bytes: usize, max_tokens: Option<u32>) -> Request {
        let messages = vec![Message { role: Role::User, content: "x".repeat(bytes) }];
        Request { messages, temperature: None, max_tokens, stop: Vec::new(), seed: None }
    }

    #[test]
    fn costs_round_up() {
        let cost = |input, output| cost(&config(), Usage { input_tokens: input, output_tokens: output });
        assert_eq!(cost(0, 0), Some(0));
        assert_eq!(cost(1, 0), Some(3));
        assert_eq!(cost(1000, 200), Some(6000));
        assert_eq!(cost(u64::MAX, u64::MAX), Some(u64::MAX));
        let mut cheap = config();
        cheap.price_input = Some(Price::per_million_tokens(1));
        assert_eq!(super::cost(&cheap, Usage { input_tokens: 1, output_tokens: 0 }), Some(1));
        cheap.price_output = None;
        assert_eq!(super::cost(&cheap, Usage { input_tokens: 1, output_tokens: 0 }), None);
    }

    #[test]
    fn what_no_vendor_counts_is_estimated() {
        for (reported, request, thought, text, counted, estimated) in [
            ((25, 9), 300, 0, "answer", (25, 9), false),
            ((0, 0), 300, 0, "answers", (100, 3), true),
            ((0, 0), 301, 60, "answers", (101, 23), true),
            ((25, 0), 300, 0, "answer", (25, 2), true),
            ((25, 0), 300, 0, "", (25, 0), false),
        ] {
            let mut completion = Completion {
                text: text.into(),
                finish: FinishReason::Stop,
                usage: Usage { input_tokens: reported.0, output_tokens: reported.1 },
                model: "m".into(),
            };
            let said = estimate(request, thought, &mut completion);
            let Usage { input_tokens, output_tokens } = completion.usage;
            assert_eq!(((input_tokens, output_tokens), said), (counted, estimated), "{reported:?} {text:?}");
        }
    }

    #[test]
    fn max_tokens_is_what_is_left() {
        let mut small = config();
        small.max_output = Some(300);
        for (config, bytes, asked, tokens, money, expected) in [
            (&config(), 16, None, None, None, None),
            (&config(), 16, Some(50), Some(5000), None, Some(50)),
            (&config(), 16, None, Some(5000), None, None),
            (&config(), 16, None, Some(101), None, Some(100)),
            (&config(), 16, Some(500), Some(101), None, Some(100)),
            (&config(), 16, Some(50), None, Some(3 + 15 * 40), Some(40)),
            (&config(), 16, None, Some(31), Some(3 + 15 * 40), Some(30)),
            (&small, 16, Some(500), None, None, Some(300)),
            (&small, 16, None, None, None, None),
            (&small, 16, None, Some(501), None, Some(300)),
        ] {
            let fitted = fit(config, request(bytes, asked), tokens, money).expect("it fits");
            assert_eq!(fitted.max_tokens, expected, "{asked:?} {tokens:?} {money:?}");
        }
    }

    #[test]
    fn what_cannot_fit_is_not_sent() {
        let refused = |config: &ModelConfig, bytes, tokens, money| {
            fit(config, request(bytes, None), tokens, money).expect_err("refused")
        };
        assert!(matches!(refused(&config(), 16, Some(0), None), ModelError::Budget(_)));
        assert!(matches!(refused(&config(), 1600, Some(100), None), ModelError::Budget(_)));
        assert!(matches!(refused(&config(), 16, None, Some(0)), ModelError::Budget(_)));
        assert!(matches!(refused(&config(), 1600, None, Some(300)), ModelError::Budget(_)));
        assert!(matches!(refused(&config(), 16_000, None, None), ModelError::ContextTooLong(_)));
        assert!(fit(&config(), request(15_999, None), None, None).is_ok());
        let unpriced = ModelConfig::new("m", "a", "vendor-m");
        let error = refused(&unpriced, 16, None, Some(10)).to_string();
        assert!(error.contains("[models.m] price_input"), "{error}");
    }
}
