//! The policy as XML (X.1198 A.2); the schema is docs/reference/scp-policy.xsd.
//!
//! Everything the reader does not know is refused, with line and column: a policy that is
//! understood half permits what nobody meant. No DTD, no entities, no processing instructions;
//! size, nodes and depth have limits.

mod lists;

use std::collections::BTreeSet;

use portcullis_svm::{Extension, Extensions, Limits};
use portcullis_types::{ScpClientId, SuperScpId, UnixSeconds, parse_u32};
use roxmltree::{Document, Node, ParsingOptions, TextPos};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{ClientPolicy, ContentRules, Lifetime};

/// Octets of a policy.
pub(crate) const MAX_POLICY: u64 = 64 << 10;
/// Elements, attributes and texts of a policy.
const MAX_NODES: u32 = 4096;
/// Nesting of elements.
const MAX_DEPTH: usize = 8;

const NAMESPACE: &str = "urn:portcullis:policy:1";

/// What is wrong with a policy, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("policy, line {line}:{column}: {what}")]
pub struct PolicyError {
    /// Line, from 1.
    pub line: u32,
    /// Character of the line, from 1: where the refused element or attribute begins.
    pub column: u32,
    /// What is wrong.
    pub what: String,
}

/// Reads a policy.
///
/// # Errors
/// [`PolicyError`] for anything not in the schema.
// spec: X-A16 X-Y01 X-Y02
// defends: T-14
pub fn parse_policy(xml: &[u8]) -> Result<ClientPolicy, PolicyError> {
    let at_start = |what: &str| PolicyError { line: 1, column: 1, what: what.to_owned() };
    if xml.len() as u64 > MAX_POLICY {
        return Err(at_start("longer than 65536 octets"));
    }
    let text = std::str::from_utf8(xml).map_err(|_| at_start("not UTF-8"))?;
    check_tag_count(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..Default::default() };
    let document = Document::parse_with_options(text, options).map_err(|e| {
        let TextPos { row, col } = e.pos();
        PolicyError { line: row, column: col, what: e.to_string() }
    })?;
    let reader = Reader { document: &document };
    reader.check_structure()?;
    reader.policy()
}

/// Bounds the number of tags, and with it the depth, before the parser builds anything.
fn check_tag_count(text: &str) -> Result<(), PolicyError> {
    let mut tags = 0usize;
    for (index, line) in text.lines().enumerate() {
        tags = tags.saturating_add(line.matches('<').count());
        if tags > MAX_NODES as usize {
            let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
            return Err(PolicyError { line, column: 1, what: "too many elements".to_owned() });
        }
    }
    Ok(())
}

struct Reader<'d, 'i> {
    document: &'d Document<'i>,
}

type Element<'d, 'i> = Node<'d, 'i>;

impl<'d, 'i: 'd> Reader<'d, 'i> {
    fn error(&self, node: Element<'d, 'i>, what: impl Into<String>) -> PolicyError {
        self.error_at(node.range().start, what)
    }

    /// An attribute that is refused; the element when the attribute is missing.
    fn error_in(
        &self,
        node: Element<'d, 'i>,
        attribute: &str,
        what: impl Into<String>,
    ) -> PolicyError {
        let found = node.attribute_node(attribute);
        self.error_at(found.map_or_else(|| node.range().start, |found| found.range().start), what)
    }

    fn error_at(&self, offset: usize, what: impl Into<String>) -> PolicyError {
        let TextPos { row, col } = self.document.text_pos_at(offset);
        PolicyError { line: row, column: col, what: what.into() }
    }

    /// Nothing but our elements, white space and comments, and not too deep.
    fn check_structure(&self) -> Result<(), PolicyError> {
        for node in self.document.descendants() {
            if node.is_pi() {
                return Err(self.error(node, "processing instruction"));
            }
            if node.is_text() && !node.text().unwrap_or_default().trim().is_empty() {
                return Err(self.error(node, "text between elements"));
            }
            if node.is_element() {
                if node.tag_name().namespace() != Some(NAMESPACE) {
                    return Err(self.error(node, format!("element outside {NAMESPACE}")));
                }
                // The document node itself counts as an ancestor of every element.
                if node.ancestors().take(MAX_DEPTH + 3).count() > MAX_DEPTH + 1 {
                    return Err(self.error(node, format!("nested deeper than {MAX_DEPTH}")));
                }
            }
        }
        Ok(())
    }

    fn policy(&self) -> Result<ClientPolicy, PolicyError> {
        let root = self.document.root_element();
        if root.tag_name().name() != "scp-policy" {
            return Err(self.error(root, "not an scp-policy"));
        }
        self.only(root, &["version", "clientId", "superScpId"])?;
        if self.required(root, "version")? != "1" {
            return Err(self.error_in(root, "version", "unknown version"));
        }
        let mut seen = BTreeSet::new();
        let (mut lifetime, mut limits, mut instructions, mut report) = (None, None, None, true);
        let (mut events, mut hosts, mut peers) = (Vec::new(), Vec::new(), Vec::new());
        let mut content = ContentRules::default();
        for child in elements(root) {
            let name = child.tag_name().name();
            if name != "event" && !seen.insert(name) {
                return Err(self.error(child, format!("{name} twice")));
            }
            match name {
                "lifetime" => lifetime = Some(self.lifetime(child)?),
                "limits" => limits = Some(self.limits(child)?),
                "instructions" => instructions = Some(self.instructions(child)?),
                "event" => self.event(child, &mut events)?,
                "network" => hosts = self.hosts(child)?,
                "channels" => peers = self.peers(child)?,
                "content" => content = self.content(child)?,
                "onViolation" => report = self.on_violation(child)?,
                other => return Err(self.error(child, format!("unknown element {other}"))),
            }
        }
        let missing = |name: &str| self.error(root, format!("element {name} is missing"));
        let (extensions, compile) = instructions.ok_or_else(|| missing("instructions"))?;
        let mut limits = limits.ok_or_else(|| missing("limits"))?;
        for permits in &events {
            if let Some(fuel) = permits.fuel {
                limits.machine.event_budgets.set(permits.event, fuel.into());
            }
        }
        Ok(ClientPolicy {
            client_id: ScpClientId(self.number(root, "clientId")?),
            super_scp_id: SuperScpId(self.number(root, "superScpId")?),
            lifetime: lifetime.ok_or_else(|| missing("lifetime"))?,
            limits: Limits { extensions, compile, ..limits.machine },
            text_bytes: limits.text,
            nv_bytes: limits.nv_bytes,
            events,
            hosts,
            peers,
            content,
            report_violations: report,
        })
    }

    fn lifetime(&self, node: Element<'d, 'i>) -> Result<Lifetime, PolicyError> {
        self.leaf(node, &["notBefore", "notAfter", "maxUptimeSeconds"])?;
        let lifetime = Lifetime {
            not_before: self.time(node, "notBefore")?,
            not_after: self.time(node, "notAfter")?,
            max_uptime_seconds: self.optional_number(node, "maxUptimeSeconds")?.unwrap_or(0),
        };
        if lifetime.not_before > lifetime.not_after {
            return Err(self.error_in(node, "notAfter", "ends before it begins"));
        }
        Ok(lifetime)
    }

    fn limits(&self, node: Element<'d, 'i>) -> Result<PolicyLimits, PolicyError> {
        self.leaf(
            node,
            &["code", "text", "data", "stack", "heap", "fuelPerEvent", "fuelPerKey", "nvBytes"],
        )?;
        let default = Limits::default();
        let machine = Limits {
            code_bytes: self.number(node, "code")?,
            ram_bytes: self.number(node, "data")?,
            stack_bytes: self.number(node, "stack")?,
            heap_bytes: self.number(node, "heap")?,
            budget: self.number(node, "fuelPerEvent")?.into(),
            change_key_budget: match self.optional_number(node, "fuelPerKey")? {
                Some(fuel) => fuel.into(),
                None => default.change_key_budget,
            },
            ..default
        };
        if machine.heap_bytes > machine.ram_bytes {
            return Err(self.error_in(node, "heap", "heap is larger than data"));
        }
        let text = self.number(node, "text")?;
        if text > machine.code_bytes {
            return Err(self.error_in(node, "text", "text is larger than code"));
        }
        Ok(PolicyLimits { machine, text, nv_bytes: self.number(node, "nvBytes")? })
    }

    /// RV32I and RV32M always, and any of the extensions; and whether they may be compiled.
    fn instructions(&self, node: Element<'d, 'i>) -> Result<(Extensions, bool), PolicyError> {
        self.leaf(node, &["allow", "compile"])?;
        let compile = self.flag(node, "compile")?.unwrap_or(false);
        let mut missing = vec!["rv32i", "rv32m"];
        let mut extensions = Extensions::NONE;
        for name in self.required(node, "allow")?.split(' ') {
            let base = missing.iter().position(|base| *base == name);
            let extension = Extension::from_name(name).filter(|known| !extensions.has(*known));
            match (base, extension) {
                (Some(at), _) => drop(missing.remove(at)),
                (None, Some(extension)) => extensions = extensions.with(extension),
                (None, None) => {
                    let what = format!("instruction class \"{name}\" is unknown or stands twice");
                    return Err(self.error_in(node, "allow", what));
                }
            }
        }
        match missing.first() {
            None => Ok((extensions, compile)),
            Some(base) => {
                Err(self.error_in(node, "allow", format!("instruction class {base} is missing")))
            }
        }
    }

    // spec: X-03 X-30
    fn content(&self, node: Element<'d, 'i>) -> Result<ContentRules, PolicyError> {
        self.leaf(node, &["store", "retransmit"])?;
        Ok(ContentRules {
            store: self.flag(node, "store")?.unwrap_or(true),
            retransmit: self.flag(node, "retransmit")?.unwrap_or(true),
        })
    }

    fn on_violation(&self, node: Element<'d, 'i>) -> Result<bool, PolicyError> {
        self.leaf(node, &["report"])?;
        self.required(node, "report")?;
        Ok(self.flag(node, "report")?.unwrap_or(true))
    }

    /// Refuses attributes that are not in the list.
    fn only(&self, node: Element<'d, 'i>, known: &[&str]) -> Result<(), PolicyError> {
        for attribute in node.attributes() {
            if attribute.namespace().is_some() || !known.contains(&attribute.name()) {
                let what = format!("unknown attribute {}", attribute.name());
                return Err(self.error_at(attribute.range().start, what));
            }
        }
        Ok(())
    }

    /// The same, and no elements inside.
    fn leaf(&self, node: Element<'d, 'i>, known: &[&str]) -> Result<(), PolicyError> {
        self.only(node, known)?;
        match elements(node).next() {
            Some(child) => Err(self.error(child, "element inside an empty one")),
            None => Ok(()),
        }
    }

    fn required(&self, node: Element<'d, 'i>, name: &str) -> Result<&'d str, PolicyError> {
        node.attribute(name).ok_or_else(|| self.error(node, format!("attribute {name} is missing")))
    }

    fn number(&self, node: Element<'d, 'i>, name: &str) -> Result<u32, PolicyError> {
        let text = self.required(node, name)?;
        parse_u32(text).map_err(|e| self.error_in(node, name, format!("{name}=\"{text}\": {e}")))
    }

    fn optional_number(
        &self,
        node: Element<'d, 'i>,
        name: &str,
    ) -> Result<Option<u32>, PolicyError> {
        match node.attribute(name) {
            Some(_) => self.number(node, name).map(Some),
            None => Ok(None),
        }
    }

    fn flag(&self, node: Element<'d, 'i>, name: &str) -> Result<Option<bool>, PolicyError> {
        match node.attribute(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(self.error_in(node, name, format!("{name} is neither true nor false"))),
        }
    }

    fn time(&self, node: Element<'d, 'i>, name: &str) -> Result<UnixSeconds, PolicyError> {
        let text = self.required(node, name)?;
        let wrong = || self.error_in(node, name, format!("{name}=\"{text}\" is not a time in UTC"));
        if !text.ends_with('Z') {
            return Err(wrong());
        }
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| wrong())?;
        u64::try_from(time.unix_timestamp()).map(UnixSeconds).map_err(|_| wrong())
    }
}

struct PolicyLimits {
    machine: Limits,
    text: u32,
    nv_bytes: u32,
}

fn elements<'d, 'i>(node: Node<'d, 'i>) -> impl Iterator<Item = Node<'d, 'i>> {
    node.children().filter(Node::is_element)
}
