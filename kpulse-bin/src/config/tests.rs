use super::*;

#[test]
fn an_empty_file_is_all_defaults() {
    for text in ["", "# nothing yet\n", "---\n", "cluster:\nchannels:\nmonitors:\n"] {
        assert_eq!(Config::from_str(text, "kpulse.yaml").unwrap().config, Config::default(), "{text:?}");
    }
}
