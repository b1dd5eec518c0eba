//! Validators: checksums, lengths and ranges, as plain functions of bytes.
//!
//! They decide and read nothing but what they are given; none of them searches.

/// ISO/IEC 7812-1 annex B over the ASCII digits of `text`; other bytes do not count. No digits: no.
#[must_use]
pub fn luhn(text: &[u8]) -> bool {
    let mut sum = 0_u32;
    let mut count = 0_u32;
    for digit in text.iter().rev().filter(|b| b.is_ascii_digit()).map(|b| u32::from(b - b'0')) {
        let doubled = if count % 2 == 1 { digit * 2 } else { digit };
        sum = (sum + if doubled > 9 { doubled - 9 } else { doubled }) % 10;
        count += 1;
    }
    count > 1 && sum == 0
}

/// Lengths of IBANs by country, two letters and two digits each, sorted (ISO 13616 registry, SWIFT).
const IBAN_LENGTHS: &[u8] = b"\
    AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22\
    GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20\
    MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26\
    UA29VA22VG24XK20YE30";

/// Most characters of an IBAN, in the registry's own words.
pub const IBAN_LENGTH_MAX: usize = 34;

/// How many characters an IBAN of this country has.
#[must_use]
pub fn iban_length(country: [u8; 2]) -> Option<usize> {
    let country = country.map(|b| b.to_ascii_uppercase());
    let (rows, _) = IBAN_LENGTHS.as_chunks::<4>();
    let found = rows.binary_search_by(|[first, second, ..]| [*first, *second].cmp(&country)).ok()?;
    rows.get(found).map(|[.., tens, ones]| usize::from(tens - b'0') * 10 + usize::from(ones - b'0'))
}

/// ISO 7064 mod 97-10 over the letters and digits of `text`, with the length of its country.
#[must_use]
pub fn iban(text: &[u8]) -> bool {
    let mut kept = [0_u8; IBAN_LENGTH_MAX];
    let mut count = 0;
    for byte in text.iter().filter(|b| b.is_ascii_alphanumeric()) {
        let Some(place) = kept.get_mut(count) else { return false };
        *place = byte.to_ascii_uppercase();
        count += 1;
    }
    let Some((head, tail)) = kept.get(..count).and_then(|kept| kept.split_at_checked(4)) else { return false };
    let [first, second, check @ ..] = head else { return false };
    if iban_length([*first, *second]) != Some(count) || !check.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let mut rest = 0_u32;
    for byte in tail.iter().chain(head) {
        rest = if byte.is_ascii_digit() {
            (rest * 10 + u32::from(byte - b'0')) % 97
        } else {
            (rest * 100 + u32::from(byte - b'A') + 10) % 97
        };
    }
    rest == 1
}

/// Shannon entropy, bits a byte: 0 for nothing and for one byte over and over.
#[must_use]
pub fn entropy(text: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    for byte in text {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let total = text.len() as f32;
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let parts = counts.iter().filter(|count| **count > 0).map(|count| *count as f32 / total);
    parts.map(|part| -part * part.log2()).sum()
}

/// CRC-32 (IEEE 802.3, reflected), four bits at a time: for tokens, not for data.
#[must_use]
pub fn crc32(text: &[u8]) -> u32 {
    let step = |crc: u32| (0..4).fold(crc, |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()));
    !text.iter().fold(u32::MAX, |crc, byte| step(step(crc ^ u32::from(*byte))))
}

/// How a card number may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Card {
    /// Luhn, issuer and length agree.
    Confirmed,
    /// A published test number.
    Test,
}

/// Published numbers for tests (Stripe, PayPal, Adyen, Braintree).
const TEST_CARDS: &[&str] = &[
    "4111111111111111",
    "4242424242424242",
    "4012888888881881",
    "4000056655665556",
    "4000000000000002",
    "4000000000009995",
    "4222222222222",
    "5555555555554444",
    "5105105105105100",
    "5200828282828210",
    "2223003122003222",
    "2222400070000005",
    "378282246310005",
    "371449635398431",
    "378734493671000",
    "6011111111111117",
    "6011000990139424",
    "6011981111111113",
    "30569309025904",
    "38520000023237",
    "36227206271667",
    "3056930009020004",
    "3530111333300000",
    "3566002020360505",
    "6200000000000005",
    "6205500000000000004",
];

/// Whether these ASCII digits, 13 to 19 of them, are the number of a payment card.
#[must_use]
pub fn card(digits: &[u8]) -> Option<Card> {
    let issued = issuer_lengths(digits) >> digits.len() & 1 == 1;
    let first = digits.first()?;
    if !issued || digits.iter().all(|digit| digit == first) || !luhn(digits) {
        return None;
    }
    Some(if TEST_CARDS.iter().any(|card| card.as_bytes() == digits) { Card::Test } else { Card::Confirmed })
}

/// Whether cards begin with these ASCII digits, of which there are at least four.
#[must_use]
pub fn is_issued(digits: &[u8]) -> bool {
    issuer_lengths(digits) != 0
}

/// The lengths that the issuer with this prefix uses, a bit each (ISO/IEC 7812 ranges as the brands publish them).
fn issuer_lengths(digits: &[u8]) -> u32 {
    let four = digits.iter().take(4).fold(0_u32, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0')));
    let many = 0b1111 << 16;
    match four {
        4000..=4999 => 1 << 13 | 1 << 16 | 1 << 19,
        5100..=5599 | 2221..=2720 => 1 << 16,
        3400..=3499 | 3700..=3799 => 1 << 15,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => 1 << 14 | many,
        3528..=3589 | 2200..=2204 | 6011 | 6440..=6599 | 6200..=6299 | 8100..=8299 => many,
        5018 | 5020 | 5038 | 5080..=5089 | 5893 | 6304 | 6759 | 6761..=6763 => many,
        6000..=6099 => 1 << 16,
        _ => 0,
    }
}

/// Numbers that were printed on sample cards or stand in every example.
const FALSE_SSNS: &[&str] = &[
    "078051120",
    "219099999",
    "457555462",
    "123456789",
    "111111111",
    "222222222",
    "333333333",
    "444444444",
    "555555555",
    "777777777",
    "888888888",
];

/// Whether these nine ASCII digits could be a number of the US Social Security Administration.
#[must_use]
pub fn us_ssn(digits: &[u8; 9]) -> bool {
    let [a, b, c, group @ .., s1, s2, s3, s4] = digits;
    let area = [*a, *b, *c];
    area != *b"000"
        && area != *b"666"
        && *a != b'9'
        && group != b"00"
        && [*s1, *s2, *s3, *s4] != *b"0000"
        && !FALSE_SSNS.iter().any(|known| known.as_bytes() == digits)
}

/// Whether an address is global unicast, by the IANA IPv4 special-purpose registry.
#[must_use]
pub fn global_ipv4(address: [u8; 4]) -> bool {
    !matches!(
        address,
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Digits of a number in international form, country code included, for the codes with a narrow range; `max` is inclusive.
const PHONE_LENGTHS: &[(&str, u8, u8)] = &[
    ("1", 11, 11),
    ("7", 11, 11),
    ("20", 11, 12),
    ("27", 11, 11),
    ("30", 12, 12),
    ("31", 11, 11),
    ("32", 10, 11),
    ("33", 11, 11),
    ("34", 11, 11),
    ("36", 10, 11),
    ("39", 8, 13),
    ("40", 11, 11),
    ("41", 11, 11),
    ("43", 9, 14),
    ("44", 11, 12),
    ("45", 10, 10),
    ("46", 9, 12),
    ("47", 10, 10),
    ("48", 11, 11),
    ("49", 9, 14),
    ("51", 10, 11),
    ("52", 12, 13),
    ("53", 9, 10),
    ("54", 12, 13),
    ("55", 12, 13),
    ("56", 11, 11),
    ("57", 12, 12),
    ("58", 12, 12),
    ("60", 10, 12),
    ("61", 11, 11),
    ("62", 10, 14),
    ("63", 11, 12),
    ("64", 10, 12),
    ("65", 10, 10),
    ("66", 10, 11),
    ("81", 11, 12),
    ("82", 10, 12),
    ("84", 11, 12),
    ("86", 12, 13),
    ("90", 12, 12),
    ("91", 12, 12),
    ("92", 12, 12),
    ("93", 11, 11),
    ("94", 11, 11),
    ("95", 9, 12),
    ("98", 12, 12),
    ("212", 12, 12),
    ("213", 11, 12),
    ("216", 11, 11),
    ("234", 11, 13),
    ("254", 12, 12),
    ("351", 12, 12),
    ("352", 9, 12),
    ("353", 11, 12),
    ("354", 10, 10),
    ("358", 9, 13),
    ("359", 11, 12),
    ("370", 11, 11),
    ("371", 11, 11),
    ("372", 10, 11),
    ("380", 12, 12),
    ("385", 11, 12),
    ("386", 11, 11),
    ("420", 12, 12),
    ("421", 12, 12),
    ("852", 11, 11),
    ("886", 11, 12),
    ("961", 10, 11),
    ("966", 11, 12),
    ("971", 11, 12),
    ("972", 11, 12),
];

/// The least and most digits that a number with this country code has (ITU-T E.164); nothing where the code is not assigned.
#[must_use]
pub fn phone_lengths(digits: &[u8]) -> Option<(usize, usize)> {
    let listed = PHONE_LENGTHS.iter().find(|(code, ..)| digits.starts_with(code.as_bytes()));
    if let Some((_, min, max)) = listed {
        return Some((usize::from(*min), usize::from(*max)));
    }
    // Codes of three digits by their zones; what is listed above or unassigned as a zone is left out.
    match digits {
        [b'2', b'1' | b'2' | b'3' | b'4' | b'5' | b'6' | b'9', ..]
        | [b'3', b'5' | b'7' | b'8', ..]
        | [b'4', b'2', ..]
        | [b'5', b'0' | b'9', ..]
        | [b'6', b'7' | b'8' | b'9', ..]
        | [b'8', b'5' | b'7' | b'8', ..]
        | [b'9', b'6' | b'7' | b'9', ..] => Some((9, 15)),
        _ => None,
    }
}

/// Generic top-level domains with many addresses (IANA root zone), sorted. Two letters are looked up in `COUNTRIES`.
const DOMAINS: &[&str] = &[
    "academy",
    "aero",
    "agency",
    "app",
    "art",
    "asia",
    "audio",
    "auto",
    "band",
    "bank",
    "bar",
    "bayern",
    "berlin",
    "best",
    "bike",
    "bio",
    "biz",
    "blog",
    "business",
    "cafe",
    "cam",
    "camp",
    "capital",
    "care",
    "cash",
    "cat",
    "center",
    "chat",
    "church",
    "city",
    "click",
    "clinic",
    "cloud",
    "club",
    "codes",
    "coffee",
    "college",
    "com",
    "community",
    "company",
    "consulting",
    "cool",
    "coop",
    "credit",
    "dance",
    "date",
    "deals",
    "design",
    "dev",
    "digital",
    "direct",
    "dog",
    "domains",
    "earth",
    "edu",
    "education",
    "email",
    "energy",
    "engineer",
    "engineering",
    "enterprises",
    "estate",
    "eus",
    "events",
    "expert",
    "express",
    "family",
    "fan",
    "farm",
    "finance",
    "financial",
    "fit",
    "fitness",
    "foundation",
    "fun",
    "fund",
    "gal",
    "gallery",
    "game",
    "games",
    "gmbh",
    "gmx",
    "google",
    "gov",
    "group",
    "guide",
    "guru",
    "hamburg",
    "health",
    "healthcare",
    "help",
    "homes",
    "host",
    "hosting",
    "hotel",
    "house",
    "icu",
    "immo",
    "inc",
    "industries",
    "info",
    "institute",
    "insurance",
    "int",
    "international",
    "investments",
    "jobs",
    "koeln",
    "land",
    "law",
    "lawyer",
    "legal",
    "life",
    "link",
    "live",
    "llc",
    "loan",
    "lol",
    "london",
    "love",
    "ltd",
    "management",
    "market",
    "marketing",
    "me",
    "media",
    "mil",
    "mobi",
    "moe",
    "money",
    "moscow",
    "museum",
    "name",
    "net",
    "network",
    "news",
    "ngo",
    "ninja",
    "nrw",
    "nyc",
    "one",
    "ong",
    "online",
    "org",
    "page",
    "paris",
    "partners",
    "photo",
    "photography",
    "photos",
    "pics",
    "plus",
    "post",
    "press",
    "pro",
    "productions",
    "properties",
    "pub",
    "quebec",
    "realty",
    "report",
    "restaurant",
    "review",
    "reviews",
    "rocks",
    "ruhr",
    "run",
    "sale",
    "school",
    "science",
    "scot",
    "security",
    "services",
    "sh",
    "shop",
    "site",
    "social",
    "software",
    "solar",
    "solutions",
    "space",
    "store",
    "stream",
    "studio",
    "support",
    "swiss",
    "systems",
    "taxi",
    "team",
    "tech",
    "technology",
    "tel",
    "tokyo",
    "tools",
    "top",
    "town",
    "trade",
    "training",
    "travel",
    "tube",
    "university",
    "uno",
    "ventures",
    "vet",
    "video",
    "vin",
    "vip",
    "vision",
    "wales",
    "watch",
    "website",
    "wien",
    "wiki",
    "win",
    "work",
    "works",
    "world",
    "wtf",
    "xin",
    "xyz",
    "yoga",
    "zone",
];

/// Country codes that are top-level domains (IANA root zone), two letters each, sorted.
const COUNTRIES: &[u8] = b"\
    acadaeafagaialamaoaqarasatauawaxazbabbbdbebfbgbhbibjbmbnbobrbsbtbwbybzcacccdcfcgchcickclcmcncocrcucvcwcxcyczdedjdkdmdodzecee\
    egereseteufifjfkfmfofrgagdgegfggghgiglgmgngpgqgrgsgtgugwgyhkhmhnhrhthuidieiliminioiqirisitjejmjojpkekgkhkikmknkpkrkwkykzlalb\
    lclilklrlsltlulvlymamcmdmemgmhmkmlmmmnmomqmrmsmtmumvmwmxmymznancnenfngninlnonpnrnunzompapepfpgphpkplpmpnprpsptpwpyqarerorsru\
    rwsasbscsdsesgshsisjskslsmsnsosrssstsusvsxsysztctdtftgthtjtktltmtntotrtttvtwtzuaugukusuyuzvavcvevgvivnvuwfwsyeytzazmzw";

/// Names that companies use inside and that the root zone does not have.
const INTERNAL: &[&str] = &["corp", "home", "internal", "intranet", "lan", "local", "private"];

/// What the last label of a domain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopLevel {
    /// In the root zone.
    Known,
    /// Used inside companies.
    Internal,
    /// Neither.
    Unknown,
}

/// What the last label of a domain is, in any case.
#[must_use]
pub fn top_level(label: &[u8]) -> TopLevel {
    let mut lower = [0_u8; 24];
    let Some(lower) = lower.get_mut(..label.len()) else { return TopLevel::Unknown };
    lower.copy_from_slice(label);
    lower.make_ascii_lowercase();
    let lower: &[u8] = lower;
    if lower.len() == 2 && COUNTRIES.chunks_exact(2).any(|code| code == lower) {
        return TopLevel::Known;
    }
    if DOMAINS.binary_search_by(|name| name.as_bytes().cmp(lower)).is_ok() || lower.starts_with(b"xn--") {
        return TopLevel::Known;
    }
    if INTERNAL.iter().any(|name| name.as_bytes() == lower) { TopLevel::Internal } else { TopLevel::Unknown }
}

/// Whether a secret's random part is no secret: a sample, a mask, one byte over and over.
#[must_use]
pub fn placeholder(text: &[u8]) -> bool {
    const MARKS: &[&[u8]] =
        &[b"example", b"xxxx", b"redacted", b"your", b"placeholder", b"dummy", b"00000000", b"12345678", b"abcdefgh"];
    entropy(text) < 2.5 || MARKS.iter().any(|mark| text.windows(mark.len()).any(|part| part.eq_ignore_ascii_case(mark)))
}
