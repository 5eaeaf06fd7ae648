//! `oz model list`: models.

use crate::{cli::Format, cmd::Outcome, out::model::LIST};
use oz_client::{Client, Error};
use oz_core::{
    ErrorCode,
    api::{ModelEndpoint, ModelInfo, ModelList, ModelProvider},
};

pub(super) async fn run(client: &Client, format: Format) -> Outcome {
    let mut list = client.models().list().await?;
    let services = match client.model_endpoints().list().await {
        Ok(services) => services.model_endpoints,
        Err(e) if is_older(&e) => Vec::new(),
        Err(e) => return Err(e.into()),
    };
    add(&mut list, &services);
    LIST.print(&list, &list.models, format)?;
    Ok(true)
}

/// Whether a control plane knows no services, or shows them to people only.
fn is_older(e: &Error) -> bool {
    matches!(
        e.code(),
        Some(ErrorCode::ResourceNotFound | ErrorCode::OperationNotSupported | ErrorCode::NotAuthorized)
    )
}

/// Adds the models of services that the list does not have, and sorts it.
fn add(list: &mut ModelList, services: &[ModelEndpoint]) {
    for service in services.iter().map(|service| &service.config) {
        for model in &service.models {
            let id = format!("{}/{}", service.name, model.id);
            if list.models.iter().any(|known| known.id == id) {
                continue;
            }
            list.models.push(ModelInfo {
                id,
                display_name: model.id.clone(),
                provider: ModelProvider::Other,
                vision_supported: false,
                description: None,
                reasoning_level: None,
                disable_reason: None,
            });
        }
    }
    list.models.sort_by(|a, b| a.id.cmp(&b.id));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn models_of_services_are_there_once() {
        let model = |id: &str| json!({ "id": id, "display_name": id, "provider": "UNKNOWN", "vision_supported": true });
        let mut list: ModelList =
            from_value(json!({ "default_model_id": "z", "models": [model("z"), model("lab/a")] })).unwrap();
        let config = json!({ "name": "lab", "api": "openai-chat", "base_url": "http://lab",
            "models": [{ "id": "a" }, { "id": "b" }] });
        let service =
            from_value(json!({ "uid": "m1", "config": config, "created_at": "2026-03-02T08:00:00Z",
            "last_updated": "2026-03-02T08:00:00Z", "revision": 1 }));
        add(&mut list, &[service.unwrap()]);
        let shown: Vec<_> = list.models.iter().map(|m| (m.id.as_str(), m.vision_supported)).collect();
        assert_eq!(shown, [("lab/a", true), ("lab/b", false), ("z", true)]);
    }
}
