//! `@codec_view` and its like.

use bytes::Bytes;

use super::super::*;
use super::{context, plan_in, short};
use crate::catalog::Index;
use crate::codec::{NpyForm, ObjectForm};
use crate::refusal::Refusal;

const VIEWS: [View; 3] = View::ALL;

fn plan(text: &str, view: View) -> Result<Plan, Refusal> {
    let context = Context { view, ..context() };
    plan_in(text.as_bytes(), &context)
}

fn chosen(text: &str, view: View) -> Vec<Setting> {
    match plan(text, view) {
        Ok(Plan::Choose(settings)) => settings,
        other => panic!("{text}: {}", short(other)),
    }
}

#[test]
fn a_set_of_its_own_chooses() {
    for (text, settings) in [
        (
            "SET @codec_view = 'json'",
            &[Setting::View(Some(View::Json))][..],
        ),
        (
            "set @Codec_View:=\"STORED\" ;",
            &[Setting::View(Some(View::Stored))],
        ),
        (
            "SET @`codec_view` = _utf8mb4'bytes'",
            &[Setting::View(Some(View::Bytes))],
        ),
        ("SET @'codec_view' = NULL", &[Setting::View(None)]),
        ("SET @'c\\odec_vie\\w' = NULL", &[Setting::View(None)]),
        ("SET @codec_npy = 'npy'", &[Setting::Npy(NpyForm::File)]),
        ("SET @codec_npy = 'array'", &[Setting::Npy(NpyForm::Array)]),
        ("SET @codec_npy = NULL", &[Setting::Npy(NpyForm::Array)]),
        (
            "SET @codec_object = 'dir'",
            &[Setting::Object(ObjectForm::Directory)],
        ),
        (
            "SET @codec_object = NULL",
            &[Setting::Object(ObjectForm::File)],
        ),
        (
            "SET @codec_json_limit = 100",
            &[Setting::JsonLimit(Some(100))],
        ),
        (
            "SET @codec_json_limit = '7'",
            &[Setting::JsonLimit(Some(7))],
        ),
        ("SET @codec_json_limit = 0", &[Setting::JsonLimit(None)]),
        ("SET @codec_json_limit = NULL", &[Setting::JsonLimit(None)]),
        (
            "SET /* a */ @a = f(1, 2), @codec_view = 'json', @b = @codec_view, @codec_npy = 'npy'",
            &[Setting::View(Some(View::Json)), Setting::Npy(NpyForm::File)],
        ),
    ] {
        for view in VIEWS {
            assert_eq!(chosen(text, view), settings, "{text} in {view}");
        }
    }
}

#[test]
fn other_values_and_names_are_errors() {
    for (text, allowed) in [
        ("SET @codec_view = 'jsn'", "'bytes', 'stored' or 'json'"),
        ("SET @codec_view = ''", "'bytes', 'stored' or 'json'"),
        ("SET @codec_view = 1", "'bytes', 'stored' or 'json'"),
        ("SET @codec_npy = 'file'", "'array' or 'npy'"),
        ("SET @codec_object = 'tar'", "'file' or 'dir'"),
        ("SET @codec_json_limit = 'many'", "a number of elements"),
        ("SET @codec_json_limit = 1.5", "a number of elements"),
        ("SET @codec_veiw = 'json'", "@codec_view"),
        ("SET @codec_ = 'json'", "@codec_view"),
    ] {
        for view in VIEWS {
            let refusal = plan(text, view).expect_err(text);
            assert_eq!((refusal.code, refusal.sqlstate), (1231, "42000"), "{text}");
            assert!(refusal.message.contains(allowed), "{}", refusal.message);
        }
    }
}

#[test]
fn where_it_would_not_take_effect_it_is_refused() {
    for text in [
        "SET @codec_view = @x",
        "SET @codec_view = concat('js', 'on')",
        "SET @codec_view = (SELECT 'json')",
        "SET @codec_json_limit = -1",
        "SET @codec_json_limit = 1 + 1",
        "SET @a = @codec_view := 'json'",
        "SET @a = (SELECT 'json' INTO @codec_view)",
        "SELECT 'json' INTO @codec_view",
        "SELECT 1, 'json' INTO @a, @`codec_view`",
        "SELECT @CODEC_VIEW := 'json'",
        "UPDATE other SET a = (@codec_view := 'json')",
        "INSERT INTO other VALUES (@codec_view := 'json')",
        "DO @codec_view := 'json'",
        "CALL p(@codec_view)",
        "EXECUTE s USING @codec_view",
        "FETCH c INTO @codec_view",
        "GET DIAGNOSTICS CONDITION 1 @codec_view = MESSAGE_TEXT",
        "LOAD DATA INFILE 'x' INTO TABLE other (a, @codec_view)",
        "SET STATEMENT max_statement_time = 1 FOR SET @codec_view = 'json'",
        "SET @codec_view = 'json'; SELECT 1",
        "SELECT 1; SET @codec_view = 'json'",
        "SET @codec_view = 'json'; SET @codec_npy = 'npy'",
        "BEGIN NOT ATOMIC SET @codec_view = 'json'; END",
        "CREATE PROCEDURE p() SET @codec_view = 'json'",
        "PREPARE s FROM 'SET @codec_view = ''json'''",
        "EXECUTE IMMEDIATE 'SELECT 1 INTO @''codec_view'''",
        "/*!50000 SET @codec_view = 'json' */",
        "SET /*M! @codec_view = 'json', */ @a = 1",
    ] {
        for view in VIEWS {
            let refusal = plan(text, view).expect_err(text);
            assert_eq!(refusal.code, 1235, "{text}: {}", refusal.message);
            assert!(refusal.message.contains("@codec_"), "{}", refusal.message);
            assert!(refusal.message.contains("SET of its own"), "{text}");
        }
    }
}

#[test]
fn to_read_it_is_no_matter() {
    for text in [
        "SELECT @codec_view",
        "SELECT @codec_view, @codec_view = 'json' INTO @a, @b",
        "SET @a = @codec_view = 'json'",
        "INSERT INTO other VALUES (@codec_view)",
        "SELECT 'SET @codec_view = 1', '@codec_view :='",
        "SELECT 'somebody@codec_land.org'",
        "SET @codecs = 1",
        "SELECT @codec_view; SELECT 2",
    ] {
        for view in VIEWS {
            assert_eq!(short(plan(text, view)), "pass", "{text} in {view}");
        }
    }
}

#[test]
fn a_set_that_does_more_must_be_harmless() {
    let text = "SET @x = (SELECT traces FROM session), @codec_view = 'json'";
    assert_eq!(short(plan(text, View::Bytes)), "no lab.session.traces");
    let prepared = Bytes::from_static(b"SET @codec_view = 'json'");
    let refusal = examine_prepared(&prepared, &context(), &super::index());
    let message = refusal.expect_err("prepared").message;
    assert!(message.contains("text protocol"), "{message}");
}

#[test]
fn a_glance_sees_it_everywhere() {
    for (text, expected) in [
        ("SET @codec_view = 'json'", Glance::Examine),
        ("SELECT 1 INTO @\"CODEC_view\"", Glance::Examine),
        (
            "SET @codec = 1, @@sql_mode = '', @a = 'codec_view'",
            Glance::Pass,
        ),
        ("SET @", Glance::Pass),
    ] {
        for (view, index) in [
            (View::Bytes, Index::default()),
            (View::Json, Index::default()),
            (View::Stored, super::index()),
        ] {
            let found = glance(text.as_bytes(), &index, view, false);
            assert_eq!(found, expected, "{text} in {view}");
        }
    }
}
