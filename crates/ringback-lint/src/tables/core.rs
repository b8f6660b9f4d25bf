//! Tables 2 and 3 of RFC 3261.

use super::Section;

sections! { CORE
    "RFC 3261, Section 20" [Ack Bye Cancel Invite Options Register] {
        Accept "R" "- o - o m* o";
        Accept "2xx" "- - - o m* o";
        Accept "415" "- c - c c c";
        AcceptEncoding "R" "- o - o o o";
        AcceptEncoding "2xx" "- - - o m* o";
        AcceptEncoding "415" "- c - c c c";
        AcceptLanguage "R" "- o - o o o";
        AcceptLanguage "2xx" "- - - o m* o";
        AcceptLanguage "415" "- c - c c c";
        AlertInfo "R" "- - - o - -";
        AlertInfo "180" "- - - o - -";
        Allow "R" "- o - o o o";
        Allow "2xx" "- o - m* m* o";
        Allow "r" "- o - o o o";
        Allow "405" "- m - m m m";
        AuthenticationInfo "2xx" "- o - o o o";
        Authorization "R" "o o o o o o";
        CallId "c" "m m m m m m";
        CallInfo "" "- - - o o o";
        Contact "R" "o - - m o o";
        Contact "1xx" "- - - o - -";
        Contact "2xx" "- - - m o o";
        Contact "3xx" "- o - o o o";
        Contact "485" "- o - o o o";
        ContentDisposition "" "o o - o o o";
        ContentEncoding "" "o o - o o o";
        ContentLanguage "" "o o - o o o";
        ContentLength "" "t t t t t t";
        ContentType "" "* * - * * *";
        CSeq "c" "m m m m m m";
        Date "" "o o o o o o";
        ErrorInfo "300-699" "- o o o o o";
        Expires "" "- - - o - o";
        From "c" "m m m m m m";
        InReplyTo "R" "- - - o - -";
        MaxForwards "R" "m m m m m m";
        MinExpires "423" "- - - - - m";
        MimeVersion "" "o o - o o o";
        Organization "" "- - - o o o";
        Priority "R" "- - - o - -";
        ProxyAuthenticate "407" "- m - m m m";
        ProxyAuthenticate "401" "- o o o o o";
        ProxyAuthorization "R" "o o - o o o";
        ProxyRequire "R" "- o - o o o";
        RecordRoute "R" "o o o o o -";
        RecordRoute "2xx,18x" "- o o o o -";
        ReplyTo "" "- - - o - -";
        Require "" "- c - c c c";
        RetryAfter "404,413,480,486" "- o o o o o";
        RetryAfter "500,503" "- o o o o o";
        RetryAfter "600,603" "- o o o o o";
        Route "R" "c c c c c c";
        Server "r" "- o o o o o";
        Subject "R" "- - - o - -";
        Supported "R" "- o o m* o o";
        Supported "2xx" "- o o m* m* o";
        Timestamp "" "o o o o o o";
        To "c" "m m m m m m";
        Unsupported "420" "- m - m m m";
        UserAgent "" "o o o o o o";
        Via "R" "m m m m m m";
        Via "rc" "m m m m m m";
        Warning "r" "- o o o o o";
        WwwAuthenticate "401" "- m - m m m";
        WwwAuthenticate "407" "- o - o o o";
    }
}
