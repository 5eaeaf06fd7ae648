//! What the standard variables of OpenTelemetry ask for.

/// Where measurements go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exporter {
    /// Nowhere.
    None,
    /// To whoever asks for them over HTTP.
    Prometheus,
    /// To a collector.
    Otlp(Protocol),
    /// To standard output.
    Console,
}

/// How a collector is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Grpc,
}

/// Everything that is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) metrics: Exporter,
    pub(super) traces: Exporter,
    /// Host and port of the scrape endpoint.
    pub(super) prometheus: (String, u16),
}

/// Those that mean that there is a collector.
const COLLECTOR: &[&str] = &[
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
];
const PORT: u16 = 9464;

impl Choice {
    /// Reads the variables; an empty one counts as not set.
    pub(super) fn new(look: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let look =
            |name: &str| look(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let port = match look("OTEL_EXPORTER_PROMETHEUS_PORT") {
            None => PORT,
            Some(text) => text
                .parse()
                .map_err(|_| wrong("OTEL_EXPORTER_PROMETHEUS_PORT", &text, "a port, such as 9464"))?,
        };
        let host = look("OTEL_EXPORTER_PROMETHEUS_HOST").unwrap_or_else(|| "localhost".to_owned());
        let mut choice = Self { metrics: Exporter::None, traces: Exporter::None, prometheus: (host, port) };
        if look("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(choice);
        }
        let protocol = |signal: &str| {
            let of_signal = format!("OTEL_EXPORTER_OTLP_{signal}_PROTOCOL");
            for name in [of_signal.as_str(), "OTEL_EXPORTER_OTLP_PROTOCOL"] {
                match look(name).as_deref() {
                    None => {}
                    Some("http/protobuf") => return Ok(Exporter::Otlp(Protocol::Http)),
                    Some("grpc") => return Ok(Exporter::Otlp(Protocol::Grpc)),
                    Some(other) => return Err(wrong(name, other, "http/protobuf or grpc")),
                }
            }
            Ok(Exporter::Otlp(Protocol::Http))
        };
        choice.metrics = match look("OTEL_METRICS_EXPORTER").as_deref() {
            None if COLLECTOR.iter().any(|name| look(name).is_some()) => protocol("METRICS")?,
            None | Some("none") => Exporter::None,
            Some("prometheus") => Exporter::Prometheus,
            Some("otlp") => protocol("METRICS")?,
            Some("console") => Exporter::Console,
            Some(other) => {
                return Err(wrong("OTEL_METRICS_EXPORTER", other, "prometheus, otlp, console or none"));
            }
        };
        choice.traces = match look("OTEL_TRACES_EXPORTER").as_deref() {
            None | Some("none") => Exporter::None,
            Some("otlp") => protocol("TRACES")?,
            Some("console") => Exporter::Console,
            Some(other) => return Err(wrong("OTEL_TRACES_EXPORTER", other, "otlp, console or none")),
        };
        Ok(choice)
    }
}

fn wrong(name: &str, value: &str, expected: &str) -> String {
    format!("{name}: '{}' is not valid; expected {expected}", value.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(variables: &[(&str, &str)]) -> Result<(Exporter, Exporter), String> {
        let look = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Choice::new(&look).map(|choice| (choice.metrics, choice.traces))
    }

    #[test]
    fn variables_decide() {
        use Exporter::{Console, None, Otlp, Prometheus};
        let (http, grpc) = (Otlp(Protocol::Http), Otlp(Protocol::Grpc));
        for (variables, expected) in [
            (&[][..], (None, None)),
            (&[("OTEL_SERVICE_NAME", "x")], (None, None)),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h")], (http, None)),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"), ("OTEL_METRICS_EXPORTER", "none")], (None, None)),
            (&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], (grpc, None)),
            (&[("OTEL_METRICS_EXPORTER", "prometheus")], (Prometheus, None)),
            (&[("OTEL_METRICS_EXPORTER", "console"), ("OTEL_TRACES_EXPORTER", "otlp")], (Console, http)),
            (
                &[
                    ("OTEL_METRICS_EXPORTER", "otlp"),
                    ("OTEL_TRACES_EXPORTER", "otlp"),
                    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
                ],
                (grpc, http),
            ),
            (&[("OTEL_METRICS_EXPORTER", "otlp"), ("OTEL_SDK_DISABLED", "True")], (None, None)),
        ] {
            assert_eq!(choice(variables), Ok(expected), "{variables:?}");
        }
        for (name, value) in [
            ("OTEL_METRICS_EXPORTER", "statsd"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_PROMETHEUS_PORT", "x"),
        ] {
            let problem = choice(&[(name, value)]).unwrap_err();
            assert!(problem.starts_with(&format!("{name}: '{value}' is not valid; expected ")), "{problem}");
        }
    }
}
