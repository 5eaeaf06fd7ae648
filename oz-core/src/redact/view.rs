//! A text as it reads with one encoding undone, and where each of its bytes came from.

/// Who wraps base64 does it at 64 or 76 characters; a line that ends earlier ends on purpose.
const WRAP: usize = 60;

/// A text with an encoding undone.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// Where each byte begins in the text, and where the last one ends.
    at: Vec<usize>,
}

/// What stands at one place of a text.
enum Step {
    /// A byte that means itself.
    Plain,
    /// So many bytes that mean these.
    Means(Vec<u8>, usize),
    /// The beginning of something that goes on after the end of the text.
    Open,
}

impl View {
    /// Where in the text the byte `index` begins.
    pub(super) fn at(&self, index: usize) -> usize {
        self.at.get(index).or(self.at.last()).copied().unwrap_or_default()
    }

    fn new(text: &[u8], step: impl Fn(usize) -> Step) -> Self {
        let mut view = Self { bytes: Vec::with_capacity(text.len()), at: Vec::with_capacity(text.len() + 1) };
        let mut i = 0;
        while i < text.len() {
            match step(i) {
                Step::Plain => {
                    view.bytes.push(text[i]);
                    view.at.push(i);
                    i += 1;
                }
                Step::Means(bytes, used) => {
                    view.at.extend(bytes.iter().map(|_| i));
                    view.bytes.extend(bytes);
                    i += used;
                }
                Step::Open => break,
            }
        }
        view.at.push(i);
        view
    }

    /// Undoes percent-encoding; with `form`, a `+` means a space.
    pub(super) fn percent(text: &[u8], form: bool) -> Option<Self> {
        let encoded = |byte: &u8| *byte == b'%' || (form && *byte == b'+');
        text.iter().any(encoded).then(|| {
            Self::new(text, |i| match &text[i..] {
                [b'%', high, low, ..] => match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) => Step::Means(vec![high * 16 + low], 3),
                    _ => Step::Plain,
                },
                [b'%'] => Step::Open,
                [b'%', digit] if hex(*digit).is_some() => Step::Open,
                [b'+', ..] if form => Step::Means(vec![b' '], 1),
                _ => Step::Plain,
            })
        })
    }

    /// Undoes the escapes of JSON.
    pub(super) fn json(text: &[u8]) -> Option<Self> {
        text.contains(&b'\\').then(|| Self::new(text, |i| escape(&text[i..])))
    }

    /// The same once more.
    pub(super) fn json_again(&self) -> Option<Self> {
        let mut again = Self::json(&self.bytes)?;
        for at in &mut again.at {
            *at = self.at(*at);
        }
        Some(again)
    }

    /// Leaves out line breaks inside of wrapped base64.
    pub(super) fn unwrapped(text: &[u8]) -> Option<Self> {
        let wraps = |end: usize| end >= WRAP && text[end - WRAP..end].iter().copied().all(is_base64);
        let breaks = |i: usize| match &text[i..] {
            [b'\n', ..] if wraps(i) => 1,
            [b'\r', b'\n', ..] | [b'\r'] if wraps(i) => 2,
            _ => 0,
        };
        let mut ends = text.iter().enumerate().filter(|(_, byte)| matches!(byte, b'\n' | b'\r'));
        ends.any(|(i, _)| breaks(i) > 0).then(|| {
            Self::new(text, |i| match breaks(i) {
                0 => Step::Plain,
                used => Step::Means(Vec::new(), used.min(text.len() - i)),
            })
        })
    }
}

/// Whether a character belongs to one of the alphabets of base64.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn escape(rest: &[u8]) -> Step {
    let one = |byte: u8| Step::Means(vec![byte], 2);
    match rest {
        [b'\\'] => Step::Open,
        [b'\\', byte @ (b'"' | b'\\' | b'/'), ..] => one(*byte),
        [b'\\', b'b', ..] => one(8),
        [b'\\', b'f', ..] => one(12),
        [b'\\', b'n', ..] => one(b'\n'),
        [b'\\', b'r', ..] => one(b'\r'),
        [b'\\', b't', ..] => one(b'\t'),
        [b'\\', b'u', ..] => unicode(rest),
        _ => Step::Plain,
    }
}

/// `\uXXXX`, or two of them for one character.
fn unicode(rest: &[u8]) -> Step {
    let unit = |at: usize| {
        let digits = rest.get(at..)?;
        let digits = &digits[..digits.len().min(6)];
        let legal = digits.iter().zip(0..).all(|(b, i)| match i {
            0 => *b == b'\\',
            1 => *b == b'u',
            _ => hex(*b).is_some(),
        });
        legal.then(|| {
            (digits.len() == 6)
                .then(|| digits[2..].iter().fold(0, |n, d| n * 16 + u32::from(hex(*d).unwrap_or(0))))
        })
    };
    let (unit, used) = match (unit(0), unit(6)) {
        (Some(None), _) => return Step::Open,
        (Some(Some(0xD800..0xDC00)), Some(None)) => return Step::Open,
        (Some(Some(high @ 0xD800..0xDC00)), Some(Some(low @ 0xDC00..0xE000))) => {
            (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), 12)
        }
        (Some(Some(unit)), _) => (unit, 6),
        (None, _) => return Step::Plain,
    };
    match char::from_u32(unit) {
        Some(c) => Step::Means(c.to_string().into_bytes(), used),
        None => Step::Plain,
    }
}
