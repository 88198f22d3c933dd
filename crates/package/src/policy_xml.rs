//! The policy as XML (X.1198 A.2); the schema is docs/reference/scp-policy.xsd.
//!
//! Everything the reader does not know is refused, with the line: a policy that is understood
//! half permits what nobody meant. No DTD, no entities, no processing instructions; size, nodes
//! and depth have limits.

use std::collections::BTreeSet;

use portcullis_svm::{Event, Extension, Extensions, Limits, Syscall};
use portcullis_types::{ScpClientId, SuperScpId, UnixSeconds, parse_u32};
use roxmltree::{Document, Node, ParsingOptions};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{ClientPolicy, EventPermits, Lifetime, NetworkHost, PermittedCall};

/// Octets of a policy.
pub(crate) const MAX_POLICY: u64 = 64 << 10;
/// Elements, attributes and texts of a policy.
const MAX_NODES: u32 = 4096;
/// Nesting of elements.
const MAX_DEPTH: usize = 8;
/// Hosts of the network list.
const MAX_HOSTS: usize = 16;
/// Octets of a host name.
const MAX_HOST_NAME: usize = 253;

const NAMESPACE: &str = "urn:portcullis:policy:1";

/// What is wrong with a policy, and in which line.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("policy, line {line}: {what}")]
pub struct PolicyError {
    /// Line, from 1.
    pub line: u32,
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
    let at_start = |what: &str| PolicyError { line: 1, what: what.to_owned() };
    if xml.len() as u64 > MAX_POLICY {
        return Err(at_start("longer than 65536 octets"));
    }
    let text = std::str::from_utf8(xml).map_err(|_| at_start("not UTF-8"))?;
    check_tag_count(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..Default::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|e| PolicyError { line: e.pos().row, what: e.to_string() })?;
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
            return Err(PolicyError { line, what: "too many elements".to_owned() });
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
        PolicyError { line: self.document.text_pos_at(node.range().start).row, what: what.into() }
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
            return Err(self.error(root, "unknown version"));
        }
        let mut seen = BTreeSet::new();
        let (mut lifetime, mut limits, mut extensions, mut report) = (None, None, None, true);
        let (mut events, mut hosts) = (Vec::new(), Vec::new());
        for child in elements(root) {
            let name = child.tag_name().name();
            if name != "event" && !seen.insert(name) {
                return Err(self.error(child, format!("{name} twice")));
            }
            match name {
                "lifetime" => lifetime = Some(self.lifetime(child)?),
                "limits" => limits = Some(self.limits(child)?),
                "instructions" => extensions = Some(self.instructions(child)?),
                "event" => self.event(child, &mut events)?,
                "network" => hosts = self.hosts(child)?,
                "onViolation" => report = self.on_violation(child)?,
                other => return Err(self.error(child, format!("unknown element {other}"))),
            }
        }
        let missing = |name: &str| self.error(root, format!("element {name} is missing"));
        let extensions = extensions.ok_or_else(|| missing("instructions"))?;
        let limits = limits.ok_or_else(|| missing("limits"))?;
        Ok(ClientPolicy {
            client_id: ScpClientId(self.number(root, "clientId")?),
            super_scp_id: SuperScpId(self.number(root, "superScpId")?),
            lifetime: lifetime.ok_or_else(|| missing("lifetime"))?,
            limits: Limits { extensions, ..limits.machine },
            text_bytes: limits.text,
            nv_bytes: limits.nv_bytes,
            events,
            hosts,
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
            return Err(self.error(node, "ends before it begins"));
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
            return Err(self.error(node, "heap is larger than data"));
        }
        let text = self.number(node, "text")?;
        if text > machine.code_bytes {
            return Err(self.error(node, "text is larger than code"));
        }
        Ok(PolicyLimits { machine, text, nv_bytes: self.number(node, "nvBytes")? })
    }

    /// RV32I and RV32M always, and any of the extensions.
    fn instructions(&self, node: Element<'d, 'i>) -> Result<Extensions, PolicyError> {
        self.leaf(node, &["allow"])?;
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
                    return Err(self.error(node, what));
                }
            }
        }
        match missing.first() {
            None => Ok(extensions),
            Some(base) => Err(self.error(node, format!("instruction class {base} is missing"))),
        }
    }

    fn event(
        &self,
        node: Element<'d, 'i>,
        events: &mut Vec<EventPermits>,
    ) -> Result<(), PolicyError> {
        self.only(node, &["name"])?;
        let name = self.required(node, "name")?;
        let event = Event::from_name(name)
            .ok_or_else(|| self.error(node, format!("unknown event {name}")))?;
        if events.iter().any(|permits| permits.event == event) {
            return Err(self.error(node, format!("event {name} twice")));
        }
        let mut calls: Vec<PermittedCall> = Vec::new();
        for child in elements(node) {
            if child.tag_name().name() != "syscall" {
                let name = child.tag_name().name();
                return Err(self.error(child, format!("unknown element {name}")));
            }
            let call = self.call(child)?;
            if calls.iter().any(|known| known.id == call.id) {
                return Err(self.error(child, format!("call 0x{:03x} twice", call.id)));
            }
            calls.push(call);
        }
        events.push(EventPermits { event, calls });
        Ok(())
    }

    fn call(&self, node: Element<'d, 'i>) -> Result<PermittedCall, PolicyError> {
        self.leaf(node, &["id", "maxPerEvent"])?;
        let number = self.number(node, "id")?;
        let known = u16::try_from(number).ok().filter(|id| Syscall::from_id(*id).is_some());
        let id = known.ok_or_else(|| self.error(node, format!("no system call 0x{number:03x}")))?;
        let max_per_event = self.optional_number(node, "maxPerEvent")?;
        if max_per_event == Some(0) {
            return Err(self.error(node, "maxPerEvent is 0"));
        }
        Ok(PermittedCall { id, max_per_event })
    }

    fn hosts(&self, node: Element<'d, 'i>) -> Result<Vec<NetworkHost>, PolicyError> {
        self.only(node, &[])?;
        let mut hosts = Vec::new();
        for child in elements(node) {
            if child.tag_name().name() != "host" || hosts.len() == MAX_HOSTS {
                return Err(
                    self.error(child, format!("unknown element, or over {MAX_HOSTS} hosts"))
                );
            }
            self.leaf(child, &["name", "port"])?;
            let name = self.required(child, "name")?;
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
            if name.is_empty() || name.len() > MAX_HOST_NAME || !name.chars().all(legal) {
                return Err(self.error(child, "not a host name"));
            }
            let port = u16::try_from(self.number(child, "port")?).ok().filter(|port| *port != 0);
            let port = port.ok_or_else(|| self.error(child, "not a port"))?;
            hosts.push(NetworkHost { name: name.to_owned(), port });
        }
        Ok(hosts)
    }

    fn on_violation(&self, node: Element<'d, 'i>) -> Result<bool, PolicyError> {
        self.leaf(node, &["report"])?;
        match self.required(node, "report")? {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.error(node, "report is neither true nor false")),
        }
    }

    /// Refuses attributes that are not in the list.
    fn only(&self, node: Element<'d, 'i>, known: &[&str]) -> Result<(), PolicyError> {
        for attribute in node.attributes() {
            if attribute.namespace().is_some() || !known.contains(&attribute.name()) {
                let line = self.document.text_pos_at(attribute.range().start).row;
                let what = format!("unknown attribute {}", attribute.name());
                return Err(PolicyError { line, what });
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
        parse_u32(text).map_err(|e| self.error(node, format!("{name}=\"{text}\": {e}")))
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

    fn time(&self, node: Element<'d, 'i>, name: &str) -> Result<UnixSeconds, PolicyError> {
        let text = self.required(node, name)?;
        let wrong = || self.error(node, format!("{name}=\"{text}\" is not a time in UTC"));
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
