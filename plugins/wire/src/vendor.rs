use crate::draft::Draft;
use crate::types::{Description, HttpRequest, ModelError, Note, Request, Settings};

/// One vendor's wire format.
pub trait Vendor {
    /// Also the place to check the operator's settings: the host asks this first.
    ///
    /// # Errors
    /// `InvalidRequest` names the setting and what is allowed.
    fn describe(settings: &Settings) -> Result<Description, ModelError>;

    /// What has to be changed about the request to fit the vendor goes into `notes`.
    ///
    /// # Errors
    /// `InvalidRequest` where the vendor has no way to say what is asked.
    fn encode(
        request: &Request,
        settings: &Settings,
        notes: &mut Vec<Note>,
    ) -> Result<HttpRequest, ModelError>;

    /// Reads one message of a stream: the data of one event.
    ///
    /// # Errors
    /// `Malformed` where it is not this format's JSON, else the error the vendor reports in it.
    fn read_event(data: &str, draft: &mut Draft) -> Result<(), ModelError>;

    /// Reads a whole answer that came in one piece.
    ///
    /// # Errors
    /// As `read_event`.
    fn read_whole(body: &str, draft: &mut Draft) -> Result<(), ModelError>;
}
