//! The open questions of an agent, each complete where there is room.

use townwatch_protocol::event::{
    AgentQuestion, AgentQuestionAnswered, QuestionKind, QuestionOption, QuestionPart, Status,
};
use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::{
    STATE_OPTIONS_MAX, STATE_QUESTION_PARTS_MAX, STATE_QUESTIONS_BYTES_MAX, STATE_QUESTIONS_MAX, STATE_TEXT_BYTES_MAX,
};
use townwatch_protocol::state_text::{beginning, stated_option};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::OpenQuestion;

use super::Snapshot;
use super::texts::{clip, json_bytes};

/// The bytes of each text of a question that has to be cut, tried in this order.
const CUT_TEXT_BYTES: [usize; 3] = [STATE_TEXT_BYTES_MAX, 120, 60];
/// An id that is longer may have to be cut where many questions are open.
const WHOLE_ID_BYTES: usize = 90;

impl Snapshot {
    /// The agent, or a sub-agent of its, asks. At [`STATE_QUESTIONS_MAX`] the oldest goes, as if it had been answered
    /// elsewhere.
    pub(super) fn asked(&mut self, event_id: EventId, data: &AgentQuestion, at: Timestamp) {
        self.memory.asked = true;
        let questions = &mut self.state.questions;
        if questions.iter().any(|open| names(&open.question.request_id, &data.request_id, open.cut)) {
            return;
        }
        if questions.len() == STATE_QUESTIONS_MAX {
            questions.remove(0);
        }
        questions.push(OpenQuestion { event_id, since: at, cut: false, question: with_parts(data.clone()) });
        fit(questions);
        if let Some(parent) = &data.parent_tool_use_id {
            self.sub_agent(parent, at);
        }
    }

    /// A question is answered. If it was the agent's own, and no call is open, the model goes on.
    pub(super) fn answered(&mut self, data: &AgentQuestionAnswered) {
        let is_it = |open: &OpenQuestion| names(&open.question.request_id, &data.request_id, open.cut);
        let Some(index) = self.state.questions.iter().position(is_it) else { return };
        let answered = self.state.questions.remove(index);
        let is_own = |open: &OpenQuestion| open.question.parent_tool_use_id.is_none();
        if is_own(&answered) && !self.state.questions.iter().any(is_own) {
            self.model_goes_on();
        }
    }

    /// Whether a `waiting` says no more than that a question waits for its answer. Agents that ask say `waiting` behind
    /// it; where they were waiting already, only the very next event can be that.
    pub(super) fn is_wait_for_answer(&self) -> bool {
        self.memory.asked && !self.state.questions.is_empty()
    }

    /// Something else than a question happened.
    pub(super) fn told_otherwise(&mut self) {
        if self.state.status == Status::Waiting {
            self.memory.asked = false;
        }
    }
}

/// Whether an id is the one that is stated of a question, or, where that is cut, begins with it.
fn names(stated: &str, request_id: &str, is_cut: bool) -> bool {
    let stated_bytes = json_bytes(&stated) - 3;
    stated == request_id
        || (is_cut && stated_bytes >= WHOLE_ID_BYTES && beginning(request_id, stated_bytes + 1).starts_with(stated))
}

/// A question that wants words and names no parts has one, so that whoever reads it has to know parts only.
fn with_parts(mut question: AgentQuestion) -> AgentQuestion {
    if question.kind == QuestionKind::Input && question.parts.is_empty() {
        let option = |label: &String| QuestionOption { label: label.clone(), description: None, preview: None };
        question.parts.push(QuestionPart {
            header: None,
            text: question.detail.clone(),
            options: question.options.iter().map(option).collect(),
            multiple: false,
            free_text: true,
        });
    }
    question
}

/// Keeps all questions together within [`STATE_QUESTIONS_BYTES_MAX`]: those that take more than their share are cut.
fn fit(questions: &mut [OpenQuestion]) {
    let sizes: Vec<usize> = questions.iter().map(json_bytes).collect();
    let share = share(sizes.clone());
    for (open, size) in questions.iter_mut().zip(sizes) {
        if size > share {
            shorten(open, share);
        }
    }
}

/// The most that each may take so that all fit: who needs less leaves the rest to the others.
fn share(mut sizes: Vec<usize>) -> usize {
    sizes.sort_unstable();
    let (mut left, mut count) = (STATE_QUESTIONS_BYTES_MAX, sizes.len());
    for size in sizes {
        if size > left / count {
            return left / count;
        }
        (left, count) = (left - size, count - 1);
    }
    usize::MAX
}

/// Cuts a question until it takes at most so many bytes: first its texts to their beginnings, then all but its names
/// and the beginning of what it is about.
fn shorten(open: &mut OpenQuestion, bytes_max: usize) {
    open.cut = true;
    for text_bytes in CUT_TEXT_BYTES {
        cut_texts(&mut open.question, text_bytes);
        if json_bytes(open) <= bytes_max {
            return;
        }
    }
    let (request_id, kind) = (std::mem::take(&mut open.question.request_id), open.question.kind);
    let short =
        std::mem::replace(&mut open.question, AgentQuestion::new(String::new(), kind, String::new(), Vec::new()));
    let room = bytes_max.saturating_sub(json_bytes(open)).max(WHOLE_ID_BYTES);
    beginning(&request_id, room).clone_into(&mut open.question.request_id);
    // The rest in the order of what a person needs most, each if it fits.
    let detail = beginning(&short.detail, bytes_max.saturating_sub(json_bytes(open)).min(40)).to_owned();
    open.question.detail = detail;
    open.question.parent_tool_use_id = short.parent_tool_use_id;
    if json_bytes(open) > bytes_max {
        open.question.parent_tool_use_id = None;
    }
    open.question.tool_use_id = short.tool_use_id;
    if json_bytes(open) > bytes_max {
        open.question.tool_use_id = None;
    }
}

fn cut_texts(question: &mut AgentQuestion, text_bytes: usize) {
    let cut = |text: &mut String| *text = beginning(text, text_bytes).to_owned();
    let cut_all = |text: &mut Option<String>| {
        if let Some(text) = text {
            *text = beginning(text, text_bytes).to_owned();
        }
    };
    cut(&mut question.detail);
    for name in [&mut question.tool_use_id, &mut question.parent_tool_use_id].into_iter().flatten() {
        *name = clip(name);
    }
    cut_all(&mut question.always);
    if let Some(subject) = &mut question.subject {
        cut(&mut subject.text);
    }
    question.options.truncate(STATE_OPTIONS_MAX);
    for option in &mut question.options {
        *option = stated_option(option).to_owned();
    }
    question.parts.truncate(STATE_QUESTION_PARTS_MAX);
    for part in &mut question.parts {
        cut_all(&mut part.header);
        cut(&mut part.text);
        part.options.truncate(STATE_OPTIONS_MAX);
        for option in &mut part.options {
            option.label = stated_option(&option.label).to_owned();
            cut_all(&mut option.description);
            cut_all(&mut option.preview);
        }
    }
}
