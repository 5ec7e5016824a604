//! From calls to resources: as Tilt does it, with its complaints.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde_json::Value;

use crate::builtins::Call;
use crate::documents;

/// Everything a Tiltfile amounts to.
#[derive(Debug, Default)]
pub struct Loaded {
    /// By name.
    pub resources: BTreeMap<String, Resource>,
    /// In order.
    pub buttons: Vec<Button>,
    /// The commands that ran while the Tiltfile was read.
    pub ran: Vec<String>,
}

/// One line of Tilt's page.
#[derive(Debug, Default)]
pub struct Resource {
    /// What runs on the host, if it is a local resource.
    pub local: Option<Local>,
    /// What is applied: `kind name`.
    pub objects: Vec<String>,
    /// What is built for its Pods.
    pub images: Vec<Image>,
    /// `8080:8080 Status page`.
    pub forwards: Vec<String>,
    /// `http://localhost:8081 What arrived`.
    pub links: Vec<String>,
    /// What must have been ready once before.
    pub after: Vec<String>,
    /// The groups on the page.
    pub labels: Vec<String>,
    /// Whether its Pods need not be ready.
    pub may_be_broken: bool,
}

/// A command on the host, and what runs it.
#[derive(Debug)]
pub struct Local {
    /// With its arguments.
    pub command: String,
    /// Files and directories.
    pub deps: Vec<String>,
    /// Patterns, as in `.dockerignore`.
    pub ignore: Vec<String>,
}

/// An image, and what builds it anew.
#[derive(Debug, Clone)]
pub struct Image {
    /// `kpulse:dev`, or without a tag of its own.
    pub reference: String,
    /// With its arguments.
    pub command: String,
    /// Files and directories.
    pub deps: Vec<String>,
    /// Whether Tilt leaves the image alone once it is built: gives it no tag, pushes it nowhere.
    pub left_alone: bool,
    /// Whether files are copied into running containers.
    pub live_update: bool,
}

/// A button that runs a command.
#[derive(Debug)]
pub struct Button {
    /// The resource it stands at.
    pub resource: String,
    /// What stands on it.
    pub text: String,
    /// With its arguments.
    pub command: String,
}

/// The kinds Tilt makes a resource of by itself.
const WORKLOADS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "Job", "Pod"];

struct Object {
    name: String,
    kind: String,
    images: Vec<String>,
    /// The labels of its Pods; of a Service, those it looks for.
    pods: BTreeMap<String, String>,
    taken: bool,
}

pub(crate) fn assemble(directory: &Path, calls: &[Call]) -> Result<Loaded, String> {
    let of = |name: &'static str| calls.iter().filter(move |call| call.name == name).map(|call| &call.arguments);
    let mut objects = Vec::new();
    for call in of("k8s_yaml") {
        for path in texts(&call["yaml"]) {
            let text = std::fs::read_to_string(directory.join(&path)).map_err(|error| format!("{path}: {error}"))?;
            objects.extend(documents(&text)?.iter().map(Object::new));
        }
    }
    let mut loaded = Loaded { ran: of("local").map(|call| command(&call["command"])).collect(), ..Loaded::default() };
    for call in of("local_resource") {
        let local =
            Local { command: command(&call["cmd"]), deps: texts(&call["deps"]), ignore: texts(&call["ignore"]) };
        let resource = Resource {
            local: Some(local),
            after: texts(&call["resource_deps"]),
            labels: texts(&call["labels"]),
            ..Resource::default()
        };
        add(&mut loaded.resources, text(&call["name"]), resource)?;
    }
    let images: Vec<(String, Image)> = of("custom_build").map(|call| (text(&call["ref"]), Image::new(call))).collect();
    let (workloads, mut objects): (Vec<Object>, Vec<Object>) = objects.into_iter().partition(Object::is_workload);
    for workload in &workloads {
        let built = |image: &String| images.iter().find(|(name, _)| image.split(':').next() == Some(name));
        let images = workload.images.iter().filter_map(built).map(|(_, image)| image.clone()).collect();
        let mut resource = Resource { objects: vec![workload.shown()], images, ..Resource::default() };
        for service in objects.iter_mut().filter(|object| object.kind == "Service" && object.selects(workload)) {
            service.taken = true;
            resource.objects.push(service.shown());
        }
        add(&mut loaded.resources, workload.name.clone(), resource)?;
    }
    if let Some((name, _)) =
        images.iter().find(|(_, image)| !loaded.resources.values().any(|resource| resource.has(image)))
    {
        return Err(format!("Image not used in any Kubernetes config: {name}"));
    }
    for call in of("k8s_resource") {
        configure(&mut loaded.resources, &mut objects, call)?;
    }
    for object in objects.iter().filter(|object| !object.taken) {
        loaded.resources.entry("uncategorized".to_owned()).or_default().objects.push(object.shown());
    }
    for (name, resource) in &loaded.resources {
        if let Some(missing) = resource.after.iter().find(|after| !loaded.resources.contains_key(*after)) {
            return Err(format!("resource {name} depends on {missing}, which does not exist"));
        }
    }
    for call in of("ui_button") {
        loaded.buttons.push(button(call, of("cmd"), &loaded.resources)?);
    }
    Ok(loaded)
}

fn add(resources: &mut BTreeMap<String, Resource>, name: String, resource: Resource) -> Result<(), String> {
    match resources.insert(name.clone(), resource) {
        None => Ok(()),
        Some(_) => Err(format!("there are two resources {name}")),
    }
}

fn configure(resources: &mut BTreeMap<String, Resource>, objects: &mut [Object], call: &Value) -> Result<(), String> {
    let (workload, new_name) = (text(&call["workload"]), text(&call["new_name"]));
    let mut resource = if workload.is_empty() {
        if new_name.is_empty() || texts(&call["objects"]).is_empty() {
            return Err("k8s_resource: without a workload, new_name and objects are required".to_owned());
        }
        Resource::default()
    } else {
        resources.remove(&workload).ok_or_else(|| format!("k8s_resource: there is no workload {workload}"))?
    };
    for selector in texts(&call["objects"]) {
        let mut fitting = objects.iter_mut().filter(|object| object.is(&selector));
        match (fitting.next(), fitting.next()) {
            (Some(object), None) if !object.taken => {
                object.taken = true;
                resource.objects.push(object.shown());
            }
            (Some(_), None) => return Err(format!("k8s_resource: {selector} is in another resource")),
            (None, _) => return Err(format!("k8s_resource: {selector} fits no object")),
            (Some(_), Some(_)) => return Err(format!("k8s_resource: {selector} fits several objects")),
        }
    }
    let forward =
        |forward: &Value| format!("{}:{} {}", forward["local_port"], forward["container_port"], text(&forward["name"]));
    resource.forwards = list(&call["port_forwards"]).iter().map(forward).collect();
    resource.links =
        list(&call["links"]).iter().map(|link| format!("{} {}", text(&link["url"]), text(&link["name"]))).collect();
    resource.after = texts(&call["resource_deps"]);
    resource.labels = texts(&call["labels"]);
    resource.may_be_broken = call["pod_readiness"] == "ignore";
    add(resources, if new_name.is_empty() { workload } else { new_name }, resource)
}

fn button<'a>(
    call: &Value,
    mut commands: impl Iterator<Item = &'a Value>,
    resources: &BTreeMap<String, Resource>,
) -> Result<Button, String> {
    let name = text(&call["name"]);
    let resource = text(&call["location"]["id"]);
    let starts = |command: &&Value| texts(&command["start_on"]["ui_buttons"]).contains(&name);
    let command = commands.find(starts).ok_or_else(|| format!("button {name} starts nothing"))?;
    let at_home = call["location"]["type"] == "Resource"
        && [call, command].iter().all(|object| text(&object["annotations"]["tilt.dev/resource"]) == resource);
    if !at_home || !resources.contains_key(&resource) {
        return Err(format!("button {name} stands nowhere"));
    }
    Ok(Button { resource, text: text(&call["text"]), command: self::command(&command["args"]) })
}

impl Object {
    fn new(document: &Value) -> Self {
        let pod = document.pointer("/spec/template/spec").unwrap_or(&document["spec"]);
        let containers = ["initContainers", "containers"].map(|key| list(&pod[key]));
        let labels = document.pointer("/spec/template/metadata/labels").unwrap_or(&document["spec"]["selector"]);
        let labels = labels.as_object().cloned().unwrap_or_default();
        Self {
            pods: labels.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            name: text(&document["metadata"]["name"]),
            kind: text(&document["kind"]),
            images: containers.iter().flat_map(|all| all.iter()).map(|container| text(&container["image"])).collect(),
            taken: false,
        }
    }

    fn shown(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    fn is_workload(&self) -> bool {
        WORKLOADS.contains(&self.kind.as_str())
    }

    /// Whether the Pods that a Service looks for are those of this workload.
    fn selects(&self, workload: &Self) -> bool {
        !self.pods.is_empty() && self.pods.iter().all(|(name, value)| workload.pods.get(name) == Some(value))
    }

    /// Whether a selector means it: `name`, or `name:kind` in any case.
    fn is(&self, selector: &str) -> bool {
        let (name, kind) = selector.split_once(':').map_or((selector, None), |(name, kind)| (name, Some(kind)));
        self.name == name && kind.is_none_or(|kind| self.kind.eq_ignore_ascii_case(kind))
    }
}

impl Image {
    fn new(call: &Value) -> Self {
        let tag = text(&call["tag"]);
        let name = text(&call["ref"]);
        Self {
            reference: if tag.is_empty() { name } else { format!("{name}:{tag}") },
            command: command(&call["command"]),
            deps: texts(&call["deps"]),
            // Tilt keeps a tag only where it does not look for the image (its issue 1657), and then pushes nothing.
            left_alone: !tag.is_empty() && call["skips_local_docker"] == true && call["disable_push"] == true,
            live_update: !list(&call["live_update"]).is_empty(),
        }
    }
}

impl Resource {
    fn has(&self, image: &Image) -> bool {
        self.images.iter().any(|own| own.reference == image.reference)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// One text or several.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        several => list(several).iter().map(text).collect(),
    }
}

fn command(value: &Value) -> String {
    texts(value).join(" ")
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, resource) in &self.resources {
            writeln!(f, "{name}  [{}]", resource.labels.join(", "))?;
            write!(f, "{resource}")?;
            for button in self.buttons.iter().filter(|button| button.resource == *name) {
                writeln!(f, "  button   {}: {}", button.text, button.command)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(local) = &self.local {
            writeln!(f, "  runs     {}", local.command)?;
            local.deps.iter().try_for_each(|path| writeln!(f, "  watches  {path}"))?;
            local.ignore.iter().try_for_each(|pattern| writeln!(f, "  but not  {pattern}"))?;
        }
        self.objects.iter().try_for_each(|object| writeln!(f, "  applies  {object}"))?;
        for image in &self.images {
            writeln!(f, "  image    {}: {}", image.reference, image.command)?;
            image.deps.iter().try_for_each(|path| writeln!(f, "  watches  {path}"))?;
        }
        self.forwards.iter().try_for_each(|forward| writeln!(f, "  forwards {forward}"))?;
        self.links.iter().try_for_each(|link| writeln!(f, "  link     {link}"))?;
        self.after.iter().try_for_each(|after| writeln!(f, "  after    {after}"))?;
        if self.may_be_broken { writeln!(f, "  may be broken") } else { Ok(()) }
    }
}
