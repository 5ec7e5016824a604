//! Evaluates the Tiltfile with the functions of `builtins.star`.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde_json::Value as Json;
use starlark::any::ProvidesStaticType;
use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension, Module};
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::syntax::{AstModule, Dialect, DialectTypes};
use starlark::values::none::NoneType;
use starlark::values::{Heap, Value};

use crate::{Start, documents};

/// A builtin that was called, and with what.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Json,
}

#[derive(ProvidesStaticType)]
struct Tilt {
    directory: PathBuf,
    calls: RefCell<Vec<Call>>,
}

/// What Starlark is to Tilt: Go's dialect with statements at the top, and none of this interpreter's extensions.
const DIALECT: Dialect = Dialect {
    enable_top_level_stmt: true,
    enable_types: DialectTypes::Disable,
    enable_f_strings: false,
    enable_load: false,
    enable_keyword_only_arguments: false,
    enable_positional_only_arguments: false,
    ..Dialect::Standard
};

/// Every call of a builtin, in order.
pub(crate) fn evaluate(directory: &Path, start: &Start<'_>) -> Result<Vec<Call>, String> {
    let tiltfile = std::fs::read_to_string(directory.join("Tiltfile")).map_err(|error| format!("Tiltfile: {error}"))?;
    let tilt = Tilt { directory: directory.to_owned(), calls: RefCell::default() };
    let before = format!("_context = {:?}\n_arguments = {:?}\n", start.context, start.arguments);
    let evaluated = Module::with_temp_heap(|module| {
        let mut evaluator = Evaluator::new(&module);
        evaluator.extra = Some(&tilt);
        let played = GlobalsBuilder::extended_by(&[LibraryExtension::StructType]).with(internals).build();
        let builtins = before + include_str!("builtins.star");
        evaluator.eval_module(AstModule::parse("builtins.star", builtins, &DIALECT)?, &played)?;
        evaluator.eval_module(AstModule::parse("Tiltfile", tiltfile, &DIALECT)?, &Globals::standard())?;
        starlark::Result::Ok(())
    });
    evaluated.map_err(|error| error.without_diagnostic().to_string())?;
    Ok(tilt.calls.into_inner())
}

fn tilt<'e>(evaluator: &Evaluator<'_, 'e, '_>) -> anyhow::Result<&'e Tilt> {
    evaluator.extra.and_then(|extra| extra.downcast_ref()).context("no Tilt")
}

#[starlark_module]
fn internals(builder: &mut GlobalsBuilder) {
    fn _called<'v>(name: &str, arguments: Value<'v>, eval: &mut Evaluator<'v, '_, '_>) -> anyhow::Result<NoneType> {
        let call = Call { name: name.to_owned(), arguments: arguments.to_json_value()? };
        tilt(eval)?.calls.borrow_mut().push(call);
        Ok(NoneType)
    }

    fn _read<'v>(path: &str, eval: &mut Evaluator<'v, '_, '_>) -> anyhow::Result<String> {
        std::fs::read_to_string(tilt(eval)?.directory.join(path)).with_context(|| path.to_owned())
    }

    fn _yaml<'v>(text: &str, heap: Heap<'v>) -> anyhow::Result<Value<'v>> {
        Ok(heap.alloc(Json::Array(documents(text).map_err(|error| anyhow!(error))?)))
    }
}
