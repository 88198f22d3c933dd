//! What a terminal would say about a package or container, check by check.

use portcullis_package::{
    ClientPolicy, ContainerHeader, PackageKey, ParsedContainer, ParsedPackage, PrefixSpelling,
    VerifiedPackage, parse_policy,
};
use serde_json::{Value, json};

use super::{CheckArgs, is_container, keys, parse_package};
use crate::cli::{Failure, Outcome};
use crate::commands::init::{chain, read};
use crate::commands::offline::{now, print};

/// Verdicts in the order in which a terminal checks.
#[derive(Default)]
struct Verdicts(Vec<(&'static str, Option<Result<(), String>>)>);

impl Verdicts {
    fn note<T, E: std::fmt::Display>(
        &mut self,
        check: &'static str,
        result: Result<T, E>,
    ) -> Option<T> {
        let (verdict, value) = match result {
            Ok(value) => (Ok(()), Some(value)),
            Err(error) => (Err(error.to_string()), None),
        };
        self.0.push((check, Some(verdict)));
        value
    }

    fn skip(&mut self, check: &'static str) {
        self.0.push((check, None));
    }

    fn json(&self) -> Value {
        let verdict = |(check, verdict): &(&'static str, Option<Result<(), String>>)| match verdict
        {
            Some(Ok(())) => json!({"check": check, "verdict": "good"}),
            Some(Err(why)) => json!({"check": check, "verdict": "refused", "reason": why}),
            None => json!({"check": check, "verdict": "not checked"}),
        };
        self.0.iter().map(verdict).collect()
    }

    fn lines(&self) -> String {
        let line = |(check, verdict): &(&'static str, Option<Result<(), String>>)| match verdict {
            Some(Ok(())) => format!("{check}: good\n"),
            Some(Err(why)) => format!("{check}: refused: {why}\n"),
            None => format!("{check}: not checked\n"),
        };
        self.0.iter().map(line).collect()
    }

    fn first_refusal(&self) -> Option<&str> {
        self.0.iter().find_map(|(_, verdict)| match verdict {
            Some(Err(why)) => Some(why.as_str()),
            _ => None,
        })
    }
}

pub(super) fn inspect(args: &CheckArgs) -> Outcome {
    let octets = read(&args.file)?;
    let (mut object, verdicts) = examine(args, &octets)?;
    let mut lines = verdicts.lines();
    if let Some(fields) = object.get("header").and_then(Value::as_array) {
        for field in fields {
            let text = |name: &str| field.get(name).map(Value::to_string).unwrap_or_default();
            lines.push_str(&format!(
                "offset {} size {} {} = {}\n",
                text("offset"),
                text("size"),
                text("name").trim_matches('"'),
                text("value")
            ));
        }
    }
    if let Some(map) = object.as_object_mut() {
        map.insert("checks".to_owned(), verdicts.json());
    }
    print(args.json, &object, &lines);
    Ok(())
}

pub(super) fn verify(args: &CheckArgs) -> Outcome {
    let octets = read(&args.file)?;
    if is_container(&octets) && args.anchor.is_none() && args.data.is_none() {
        return Err(Failure::usage("client verify: a container needs --anchor or --data"));
    }
    if !is_container(&octets) && args.key.is_none() {
        return Err(Failure::usage("client verify: a bare package needs --key"));
    }
    let (_, verdicts) = examine(args, &octets)?;
    let file = args.file.display();
    match verdicts.first_refusal() {
        Some(why) => Err(Failure::new(format!("{file}: {why}"))),
        None => {
            let object = json!({"file": args.file, "verdict": "good", "checks": verdicts.json()});
            print(args.json, &object, &format!("{file}: good"));
            Ok(())
        }
    }
}

fn examine(args: &CheckArgs, octets: &[u8]) -> Result<(Value, Verdicts), Failure> {
    let mut verdicts = Verdicts::default();
    let object = if is_container(octets) {
        examine_container(args, octets, &mut verdicts)?
    } else {
        let key = args.key.as_deref().map(keys::package_key).transpose()?;
        examine_package(args, octets, key.as_ref(), &mut verdicts)
    };
    Ok((object, verdicts))
}

fn examine_container(
    args: &CheckArgs,
    octets: &[u8],
    verdicts: &mut Verdicts,
) -> Result<Value, Failure> {
    let limits = args.limits();
    let Some(container) = verdicts.note("sizes", ParsedContainer::parse(octets, &limits)) else {
        return Ok(json!({"kind": "container"}));
    };
    let anchor = anchor(args)?;
    let key_id = container.header().encryption.map(|encryption| encryption.key_id);
    let image_keys =
        keys::HeldImageKeys::open(key_id, args.data.as_deref(), args.passphrase_file.as_deref())?;
    let series = match &anchor {
        Some(anchor) => {
            let signer = container.check_countersignature(anchor, now());
            verdicts.note("platform operation chain and countersignature", signer);
            verdicts.note("version floor", container.check_floor(args.floor));
            verdicts.note("payload", container.check_payload(&image_keys));
            verdicts.note("client chain", container.check_client_chain(anchor, now()))
        }
        None => {
            verdicts.skip("platform operation chain and countersignature");
            verdicts.note("version floor", container.check_floor(args.floor));
            verdicts.note("payload", container.check_payload(&image_keys));
            verdicts.skip("client chain");
            None
        }
    };
    let key = series.as_ref().map(|series| PackageKey::Ed25519(series.public_key));
    let package = match container.payload(&image_keys) {
        Ok(payload) => examine_package(args, &payload, key.as_ref(), verdicts),
        // Its verdict stands under "payload".
        Err(_) => json!({"kind": "package", "encrypted": true}),
    };
    if let Some(anchor) = &anchor {
        verdicts
            .note("container as a whole", container.verify(anchor, args.floor, now(), &image_keys));
    }
    Ok(json!({
        "kind": "container",
        "header": container_fields(container.header()),
        "chains": {
            "client": subjects(container.client_chain()),
            "platform_operation": subjects(container.platform_operation_chain()),
            "emm_signer": subjects(container.emm_signer_chain()),
        },
        "package": package,
    }))
}

fn examine_package(
    args: &CheckArgs,
    octets: &[u8],
    key: Option<&PackageKey>,
    verdicts: &mut Verdicts,
) -> Value {
    let limits = args.limits();
    let parsed = parse_package(octets, &limits).map_err(|failure| failure.line);
    let Some(package) = verdicts.note("header", parsed) else {
        return json!({"kind": "package"});
    };
    match key {
        Some(key) => {
            verdicts.note("signature", package.check_signature(key));
        }
        None => verdicts.skip("signature"),
    }
    let policy = package.unverified_policy().map_err(|e| e.to_string());
    let policy = policy.and_then(|xml| parse_policy(&xml).map_err(|e| e.to_string()));
    let policy = verdicts.note("policy", policy);
    match key.map(|key| package.verify(key)) {
        Some(Ok(verified)) => {
            verdicts.note("lifetime", verified.check_lifetime(now()));
            verdicts.note("code scan", scan(&verified));
        }
        Some(Err(error)) => {
            verdicts.note::<(), _>("package as a whole", Err(error));
        }
        None => verdicts.skip("code scan"),
    }
    package_json(&package, policy.as_ref())
}

/// The load-time scan of X.1198 7.3, by the machine that would run it.
fn scan(package: &VerifiedPackage) -> Result<(), portcullis_svm::ScanError> {
    let policy = package.policy();
    let limits = policy.limits.capped_by(&portcullis_svm::Limits::terminal_maximum());
    portcullis_svm::Client::load(package.image(), policy.permit_table(), limits).map(|_client| ())
}

fn anchor(args: &CheckArgs) -> Result<Option<Vec<u8>>, Failure> {
    let path = match (&args.anchor, &args.data) {
        (Some(path), _) => path.clone(),
        (None, Some(data)) => {
            portcullis_headend::layout::DataDir::new(data).authority().join("root.pem")
        }
        (None, None) => return Ok(None),
    };
    Ok(chain(&path)?.into_iter().next())
}

fn package_json(package: &ParsedPackage<'_>, policy: Option<&ClientPolicy>) -> Value {
    let header = package.header().ok();
    let fields = header.iter().flat_map(|header| header.fields()).map(|field| {
        json!({
            "offset": field.offset,
            "size": field.size,
            "name": field.name,
            "value": field.value,
        })
    });
    let prefix = header.as_ref().map(|header| match header.prefix {
        PrefixSpelling::Ascii => "SCP_VM_K",
        PrefixSpelling::Numeric => "SCP_c_KR",
    });
    json!({
        "kind": "package",
        "prefix_spelling": prefix,
        "header": fields.collect::<Vec<_>>(),
        "policy": policy.map(policy_json),
        "signature": hex::encode(package.signature()),
    })
}

fn policy_json(policy: &ClientPolicy) -> Value {
    let events = policy.events.iter().map(|permits| {
        let calls = permits
            .calls
            .iter()
            .map(|call| json!({"id": call.id, "max_per_event": call.max_per_event}));
        json!({"event": permits.event.name(), "calls": calls.collect::<Vec<_>>()})
    });
    let hosts = policy.hosts.iter().map(|host| json!({"name": host.name, "port": host.port}));
    json!({
        "client_id": policy.client_id.0,
        "super_scp_id": policy.super_scp_id.0,
        "not_before": policy.lifetime.not_before.0,
        "not_after": policy.lifetime.not_after.0,
        "max_uptime_seconds": policy.lifetime.max_uptime_seconds,
        "limits": {
            "code": policy.limits.code_bytes,
            "text": policy.text_bytes,
            "data": policy.limits.ram_bytes,
            "stack": policy.limits.stack_bytes,
            "heap": policy.limits.heap_bytes,
            "fuel_per_event": policy.limits.budget,
            "fuel_per_key": policy.limits.change_key_budget,
            "nv_bytes": policy.nv_bytes,
        },
        "events": events.collect::<Vec<_>>(),
        "hosts": hosts.collect::<Vec<_>>(),
        "report_violations": policy.report_violations,
    })
}

fn container_fields(header: &ContainerHeader) -> Value {
    let field = |offset: usize, size: usize, name: &str, value: Value| json!({"offset": offset, "size": size, "name": name, "value": value});
    json!([
        field(8, 4, "super_scp_id", header.super_scp_id.0.into()),
        field(12, 4, "scp_client_id", header.client_id.0.into()),
        field(16, 4, "client_version", header.version.into()),
        field(20, 4, "platform_operation_id", header.platform_operation_id.into()),
        field(24, 4, "min_host_api", header.min_host_api.into()),
        field(28, 4, "heap", header.heap.into()),
        field(32, 4, "stack", header.stack.into()),
        field(36, 4, "payload_length", header.payload_length.into()),
        field(40, 32, "payload_sha256", hex::encode(header.payload_sha256).into()),
        field(72, 2, "encryption", if header.encryption.is_some() { 2 } else { 0 }.into()),
        field(74, 16, "image_key_id", header.encryption.map(|e| hex::encode(e.key_id.0)).into()),
    ])
}

fn subjects(chain: &[&[u8]]) -> Value {
    let subject = |der: &&[u8]| match portcullis_trust::CertificateInfo::parse(der) {
        Ok(info) => json!(info.subject),
        Err(why) => json!(format!("unreadable: {why}")),
    };
    chain.iter().map(subject).collect()
}
