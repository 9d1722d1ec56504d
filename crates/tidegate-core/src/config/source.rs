//! `[[source]]`: who may send what, how it is proven, and what becomes of it.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderName;
use tide::Diagnostic;

use super::reader::{Located, Place, Section};
use super::server::MAX_BODY_BYTES;
use super::{Report, SecretRef, Surroundings};
use crate::event::SourceName;
use crate::field::FieldPath;
use crate::rate::Rate;
use crate::secret::Secret;
use crate::verify::{HmacScheme, HmacSettings, Provider, Tolerance, Verifier};

/// One source of events.
#[derive(Debug)]
pub struct Source {
    /// Its name, unique.
    pub name: SourceName,
    /// The path of the public listener at which it listens, unique.
    pub path: String,
    /// How its requests are proven.
    pub provider: Provider,
    /// References to its secrets; several during a rotation.
    pub secrets: Vec<SecretRef>,
    /// How far the provider's clock may be off.
    pub tolerance: Tolerance,
    /// What its bodies are.
    pub format: Format,
    /// The rules, if it has any.
    pub rules: Option<RuleFile>,
    /// Where the id of an event stands.
    pub event_id: EventIdRule,
    /// Where the type of an event stands.
    pub event_type: EventTypeRule,
    /// How events against the rules are answered.
    pub on_invalid: OnInvalid,
    /// How many requests it may send.
    pub rate: Option<Rate>,
    /// A limit of its own for the size of a body, in bytes.
    pub max_body_bytes: Option<usize>,
    place: Place,
}

/// A compiled rule file.
#[derive(Debug)]
pub struct RuleFile {
    /// Its path as the configuration gives it.
    pub path: String,
    /// Its text, for showing where a test failed.
    pub source: tide::Source,
    /// What runs.
    pub program: Arc<tide::Program>,
}

/// What the bodies of a source are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON; anything else is refused with 400.
    Json,
    /// Any bytes, stored as they came.
    Raw,
}

/// How events against the rules are answered; they are kept in quarantine either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInvalid {
    /// 422, so that the sender sees the reasons and may retry.
    Reject,
    /// 200, so that the sender does not retry.
    Quarantine,
}

/// Where the id of an event stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventIdRule {
    /// Where the provider puts it.
    Provider,
    /// In these fields of the body; together they are the id.
    Fields(Vec<FieldPath>),
    /// In this header.
    Header(HeaderName),
    /// There is none: two bodies that are equal byte for byte are the same event.
    BodyHash,
    /// There is none, and no event is taken for a retry of another.
    Absent,
}

/// Where the type of an event stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTypeRule {
    /// Where the provider puts it; otherwise in `type` or `event_type` of the body.
    Provider,
    /// In this field of the body.
    Field(FieldPath),
    /// In this header.
    Header(HeaderName),
}

const BODY_HASH: &str = "sha256(body)";

pub(super) fn read_all(
    root: &Section<'_>,
    surroundings: &dyn Surroundings,
    reports: &mut Vec<Report>,
) -> Option<Vec<Source>> {
    let sections = root.sections("source");
    if sections.is_empty() {
        root.missing("[[source]]", "at least one table with a name and a provider");
        return None;
    }
    let mut rules = RuleFiles { surroundings, reports, compiled: HashMap::new() };
    let sources: Vec<Option<Source>> = sections.iter().map(|section| read(section, &mut rules)).collect();
    check_unique(&sections, &sources);
    sources.into_iter().collect()
}

fn read(section: &Section<'_>, rules: &mut RuleFiles<'_>) -> Option<Source> {
    let name = read_name(section);
    let path = read_path(section);
    let provider = read_provider(section);
    let secrets = section.secrets("secrets");
    let tolerance = read_tolerance(section);
    let format = section.choice("format", &[("json", Format::Json), ("raw", Format::Raw)]);
    let format = format.map_or(Format::Json, |choice| choice.value);
    let rule_path = section.string("rules");
    let event_id = read_event_id(section);
    let event_type = read_event_type(section);
    let on_invalid =
        section.choice("on_invalid", &[("reject", OnInvalid::Reject), ("quarantine", OnInvalid::Quarantine)]);
    let rate = read_rate(section);
    let max_body_bytes = section.integer("max_body_bytes", 1..=MAX_BODY_BYTES);
    section.finish();

    if let (Some(rule_path), Format::Raw) = (&rule_path, format) {
        section.conflict(
            &rule_path.place,
            "rules read JSON, but the format of this source is raw".into(),
            "leave out rules, or leave out format",
        );
    }
    let rules = rule_path.map(|path| rules.compile(section, &path));
    let (name, provider) = (name?, provider?);
    check_secrets(section, &name, &provider, &secrets);
    check_tolerance(section, &provider);
    let event_id = settle_event_id(section, &name, &provider, event_id);
    Some(Source {
        path: path.unwrap_or_else(|| format!("/in/{name}")),
        name,
        provider,
        secrets,
        tolerance,
        format,
        rules: match rules {
            Some(compiled) => Some(compiled?),
            None => None,
        },
        event_id,
        event_type,
        on_invalid: on_invalid.map_or(OnInvalid::Reject, |choice| choice.value),
        rate,
        max_body_bytes: max_body_bytes.and_then(|bytes| usize::try_from(bytes).ok()),
        place: section.place(),
    })
}

fn read_name(section: &Section<'_>) -> Option<SourceName> {
    section.required_string("name", "\"payments\"");
    let help = "use lower-case letters, digits, `-` and `_`, at most 64, starting with a letter or digit";
    section.parsed("name", help, SourceName::new).map(|name| name.value)
}

fn read_path(section: &Section<'_>) -> Option<String> {
    let plain = |text: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
        text.starts_with('/') && text.len() <= 256 && text.bytes().all(allowed) && !text.contains("//")
    };
    let help = "start with `/` and use letters, digits, `-`, `_`, `.` and `~` between slashes";
    section.parsed("path", help, |text| plain(text).then(|| text.to_owned())).map(|path| path.value)
}

fn read_provider(section: &Section<'_>) -> Option<Provider> {
    let hmac = section.optional_section("hmac");
    let known = Provider::NAMES.join("\", \"");
    let named = section.required_string("provider", &format!("one of \"{known}\""))?;
    let provider = match (named.value.as_str(), hmac) {
        ("hmac", Some(hmac)) => return read_hmac(&hmac).map(Provider::Hmac),
        ("hmac", None) => {
            section
                .missing("[source.hmac]", "a table with header = \"x-signature\" and content = \"{body}\"");
            return None;
        }
        (name, Some(hmac)) => {
            hmac.finish();
            section.conflict(
                &hmac.place(),
                format!("the provider is {name}, so [source.hmac] has no effect"),
                "write provider = \"hmac\", or leave out the table",
            );
            Provider::by_name(name)
        }
        (name, None) => Provider::by_name(name),
    };
    if provider.is_none() {
        let help = match tide::suggest(&named.value, Provider::NAMES.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write one of: {}", Provider::NAMES.join(", ")),
        };
        section.invalid(&named.place, format!("there is no provider `{}`", named.value), &help);
    }
    provider
}

fn read_tolerance(section: &Section<'_>) -> Tolerance {
    let mut tolerance = Tolerance::default();
    if let Some(past_s) = section.integer("tolerance_past_s", 0..=86_400 * 7) {
        tolerance.past_s = past_s;
    }
    if let Some(future_s) = section.integer("tolerance_future_s", 0..=86_400) {
        tolerance.future_s = future_s;
    }
    tolerance
}

fn read_event_id(section: &Section<'_>) -> Option<Located<EventIdRule>> {
    let texts = section.strings("event_id");
    let place = texts.first()?.place.clone();
    if let [only] = texts.as_slice() {
        if only.value == BODY_HASH {
            return Some(Located { value: EventIdRule::BodyHash, place });
        }
        if let Some(name) = only.value.strip_prefix("header:") {
            return header(section, name, &place)
                .map(|name| Located { value: EventIdRule::Header(name), place });
        }
    }
    let fields: Option<Vec<FieldPath>> = texts.iter().map(|text| field(section, text)).collect();
    Some(Located { value: EventIdRule::Fields(fields?), place })
}

fn read_event_type(section: &Section<'_>) -> EventTypeRule {
    let Some(text) = section.string("event_type") else { return EventTypeRule::Provider };
    let rule = match text.value.strip_prefix("header:") {
        Some(name) => header(section, name, &text.place).map(EventTypeRule::Header),
        None => field(section, &text).map(EventTypeRule::Field),
    };
    rule.unwrap_or(EventTypeRule::Provider)
}

fn header(section: &Section<'_>, name: &str, place: &Place) -> Option<HeaderName> {
    let parsed = HeaderName::try_from(name.trim()).ok();
    if parsed.is_none() {
        section.invalid(
            place,
            format!("`{name}` is not the name of a header"),
            "write header:x-request-id, for example",
        );
    }
    parsed
}

fn field(section: &Section<'_>, text: &Located<String>) -> Option<FieldPath> {
    let parsed = FieldPath::parse(&text.value);
    if parsed.is_none() {
        let help = "write a dotted path such as \"data.object.id\", \"header:NAME\" or \"sha256(body)\"";
        section.invalid(&text.place, format!("`{}` is not a path to a field", text.value), help);
    }
    parsed
}

fn read_rate(section: &Section<'_>) -> Option<Rate> {
    let rate = section.parsed("rate", "write a number per s, m or h, such as \"100/s\"", Rate::parse);
    let burst =
        section.integer("rate_burst", 1..=u64::from(u32::MAX)).and_then(|burst| u32::try_from(burst).ok());
    match (rate, burst) {
        (Some(rate), Some(burst)) => Some(rate.value.with_burst(burst)),
        (None, Some(_)) if !section.has("rate") => {
            section.warn(
                "rate_burst has no effect without rate".into(),
                "add rate = \"100/s\", or leave out rate_burst",
            );
            None
        }
        (rate, _) => rate.map(|rate| rate.value),
    }
}

fn check_secrets(section: &Section<'_>, name: &SourceName, provider: &Provider, secrets: &[SecretRef]) {
    match provider {
        Provider::None if secrets.is_empty() => {}
        Provider::None => section.warn(
            format!("the source `{name}` has secrets, but its provider is none, which checks no signature"),
            "leave out secrets, or name the provider that signs with them",
        ),
        // What stands there may have been refused already, with its place.
        _ if secrets.is_empty() && !section.has("secrets") => {
            section.missing("secrets", "[\"env:NAME_OF_SECRET\"]");
        }
        _ => {}
    }
}

/// A tolerance is for a time that the provider signs.
fn check_tolerance(section: &Section<'_>, provider: &Provider) {
    let signs_time = match provider {
        Provider::Stripe | Provider::StandardWebhooks | Provider::Slack => true,
        Provider::Hmac(scheme) => scheme.has_timestamp(),
        Provider::GitHub | Provider::Shopify | Provider::None => false,
    };
    if !signs_time && (section.has("tolerance_past_s") || section.has("tolerance_future_s")) {
        let message = format!("{} signs no time, so a tolerance has no effect", provider.name());
        section.warn(message, "leave out tolerance_past_s and tolerance_future_s");
    }
}

/// A provider without ids of its own leaves retries undetectable unless the configuration helps.
fn settle_event_id(
    section: &Section<'_>,
    name: &SourceName,
    provider: &Provider,
    configured: Option<Located<EventIdRule>>,
) -> EventIdRule {
    if let Some(rule) = configured {
        return rule.value;
    }
    match provider {
        Provider::Hmac(_) | Provider::None => {
            section.warn(
                format!("the source `{name}` has no event id: a retry will be stored as a second event"),
                "add event_id = \"field\" (or [\"two\", \"fields\"], \"header:NAME\", \"sha256(body)\")",
            );
            EventIdRule::Absent
        }
        Provider::Stripe
        | Provider::GitHub
        | Provider::StandardWebhooks
        | Provider::Shopify
        | Provider::Slack => EventIdRule::Provider,
    }
}

fn check_unique(sections: &[Section<'_>], sources: &[Option<Source>]) {
    let mut names = HashMap::new();
    let mut paths = HashMap::new();
    for (section, source) in sections.iter().zip(sources) {
        let Some(source) = source else { continue };
        if names.insert(source.name.clone(), ()).is_some() {
            let message = format!("there are two sources named `{}`", source.name);
            section.conflict(&source.place, message, "give each source a name of its own");
        }
        if let Some(other) = paths.insert(source.path.clone(), source.name.clone())
            && other != source.name
        {
            let message =
                format!("the sources `{other}` and `{}` both listen at {}", source.name, source.path);
            section.conflict(&source.place, message, "give each source a path of its own");
        }
    }
}

impl Source {
    /// Resolves the secrets and builds the verifier, or says in `problems` why it cannot be built.
    pub(super) fn verifier(
        &self,
        surroundings: &dyn Surroundings,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Verifier> {
        // Secrets that nothing is signed with are not asked for.
        let used = if self.provider == Provider::None { &[] } else { self.secrets.as_slice() };
        let secrets: Option<Vec<Secret>> =
            used.iter().map(|secret| secret.resolve(surroundings, problems)).collect();
        match Verifier::new(&self.provider, &secrets?, self.tolerance) {
            Ok(verifier) => Some(verifier),
            Err(error) => {
                let message = format!("the secrets of the source `{}` cannot be used: {error}", self.name);
                problems.push(self.place.diagnose(Diagnostic::error("C0108", message), "for this source"));
                None
            }
        }
    }
}

/// Compiles each rule file once, however many sources name it.
struct RuleFiles<'a> {
    surroundings: &'a dyn Surroundings,
    reports: &'a mut Vec<Report>,
    compiled: HashMap<String, Option<(tide::Source, Arc<tide::Program>)>>,
}

impl RuleFiles<'_> {
    fn compile(&mut self, section: &Section<'_>, path: &Located<String>) -> Option<RuleFile> {
        if !self.compiled.contains_key(&path.value) {
            let result = self.compile_new(section, path);
            self.compiled.insert(path.value.clone(), result);
        }
        let (source, program) = self.compiled.get(&path.value)?.clone()?;
        Some(RuleFile { path: path.value.clone(), source, program })
    }

    fn compile_new(
        &mut self,
        section: &Section<'_>,
        path: &Located<String>,
    ) -> Option<(tide::Source, Arc<tide::Program>)> {
        let text = match self.surroundings.read(&path.value).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => {
                section.invalid(
                    &path.place,
                    format!("the rules {} are not UTF-8", path.value),
                    "save the file as UTF-8",
                );
                return None;
            }
            Err(why) => {
                let message = format!("the rules {} cannot be read: {why}", path.value);
                section.invalid(&path.place, message, "paths start at the folder of the configuration file");
                return None;
            }
        };
        let source = tide::Source::new(path.value.clone(), text);
        let compiled = tide::compile(&source);
        if !compiled.diagnostics.is_empty() {
            self.reports.push(Report { source: source.clone(), diagnostics: compiled.diagnostics });
        }
        compiled.program.map(|program| (source, Arc::new(program)))
    }
}

fn read_hmac(section: &Section<'_>) -> Option<HmacScheme> {
    let header = section.required_string("header", "\"x-signature\"");
    let text = |key, default: &str| section.string(key).map_or_else(|| default.to_owned(), |text| text.value);
    let algorithm = text("algorithm", "sha256");
    let encoding = text("encoding", "hex");
    let prefix = text("prefix", "");
    let content = text("content", "{body}");
    let timestamp_header = section.string("timestamp_header").map(|text| text.value);
    let timestamp_unit = section.string("timestamp_unit").map(|text| text.value);
    section.finish();
    let settings = HmacSettings {
        header: &header?.value,
        algorithm: &algorithm,
        encoding: &encoding,
        prefix: &prefix,
        content: &content,
        timestamp_header: timestamp_header.as_deref(),
        timestamp_unit: timestamp_unit.as_deref(),
    };
    match HmacScheme::parse(&settings) {
        Ok(scheme) => Some(scheme),
        Err(mistakes) => {
            for mistake in mistakes {
                let place = section.place_of(mistake.field());
                section.invalid(
                    &place,
                    mistake.to_string(),
                    "see the generic HMAC provider in docs/providers.md",
                );
            }
            None
        }
    }
}
