//! A browser without scripts, as small as it can be: it keeps cookies, follows redirects, and sends the forms that it sees with what is
//! hidden in them.

use std::collections::BTreeMap;

use url::form_urlencoded;

use crate::service::{Reply, Web};

#[derive(Debug)]
pub(crate) struct Visitor<'a> {
    web: &'a Web,
    cookies: BTreeMap<String, String>,
    /// What is sent with every request besides.
    pub(crate) headers: String,
    /// Where it is.
    pub(crate) path: String,
    pub(crate) page: Reply,
}

impl<'a> Visitor<'a> {
    /// Somebody who has never been here opens a page.
    pub(crate) fn at(web: &'a Web, path: &str) -> Self {
        let page = Reply { status: 0, head: String::new(), body: serde_json::Value::Null, text: String::new() };
        let mut visitor = Self { web, cookies: BTreeMap::new(), headers: String::new(), path: String::new(), page };
        visitor.open(path);
        visitor
    }

    /// Opens a page; follows where it leads.
    pub(crate) fn open(&mut self, path: &str) -> &mut Self {
        self.go("GET", path, "", "")
    }

    /// Fills in the form that is sent to `action`, and sends it with all that is hidden in it.
    pub(crate) fn submit(&mut self, action: &str, entered: &[(&str, &str)]) -> &mut Self {
        let hidden = self.hidden(action);
        let fields = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(entered.iter().copied());
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(action, &body)
    }

    /// Sends what it likes as a form.
    pub(crate) fn post(&mut self, action: &str, body: &str) -> &mut Self {
        self.go("POST", action, "content-type: application/x-www-form-urlencoded\r\n", body)
    }

    /// The hidden fields of the form that is sent to `action`.
    pub(crate) fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let start = format!("action=\"{action}\"");
        let (_, form) =
            self.page.text.split_once(&start).unwrap_or_else(|| panic!("no form for {action}: {:?}", self.page));
        let (form, _) = form.split_once("</form>").expect("a form ends");
        let inputs = form.split("<input type=\"hidden\"").skip(1);
        inputs.map(|input| (attribute(input, "name").to_owned(), attribute(input, "value").to_owned())).collect()
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.cookies.remove(name);
    }

    fn go(&mut self, method: &str, path: &str, headers: &str, body: &str) -> &mut Self {
        path.split('#').next().unwrap_or_default().clone_into(&mut self.path);
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = if cookies.is_empty() { String::new() } else { format!("cookie: {}\r\n", cookies.join("; ")) };
        let headers = format!("accept: text/html\r\n{cookies}{}{headers}", self.headers);
        let answer = self.web.answer(method, &self.path, &headers, body.as_bytes());
        self.page = Reply::read(&answer);
        self.keep(&answer);
        match location(&answer) {
            Some(there) if self.page.status == 303 => self.open(&there),
            _ => self,
        }
    }

    fn keep(&mut self, answer: &str) {
        let head = answer.split("\r\n\r\n").next().unwrap_or_default();
        for set in head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (pair, kept) = set.split_once("; ").expect("a cookie says how it is kept");
            assert_eq!(kept, "Path=/; HttpOnly; SameSite=Lax");
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

fn location(answer: &str) -> Option<String> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| line.strip_prefix("location: ")).map(str::to_owned)
}

fn attribute<'t>(tag: &'t str, name: &str) -> &'t str {
    let (_, value) = tag.split_once(&format!("{name}=\"")).expect("a hidden field has a name and a value");
    value.split('"').next().unwrap_or_default()
}
