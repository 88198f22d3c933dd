//! `portcullis criteria`: the access criteria that an SCS puts into CW_provision.

use std::path::PathBuf;

use portcullis_headend::layout::DataDir;
use portcullis_headend::store::{Operator, Repository};
use portcullis_messages::{AccessCriteria, UsageRights};
use serde_json::json;

use crate::cli::Outcome;

/// Arguments of `portcullis criteria`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "portcullis-data")]
    data: PathBuf,
    /// The product that guards the service.
    #[arg(long, value_name = "NAME")]
    product: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Outcome {
    let store = Operator::open(&DataDir::new(&args.data).operator_db())?;
    let product = store.product(&args.product)?;
    let criteria =
        AccessCriteria { product: product.id, usage_rights: UsageRights::default() }.encode();
    let criteria = hex::encode(criteria);
    if args.json {
        println!(
            "{}",
            json!({"product": product.name, "product_id": product.id.0, "criteria": criteria})
        );
    } else {
        println!("{criteria}");
    }
    Ok(())
}
