/* A second opinion on messages: what Sofia-SIP reads of each.
 *
 * stdin: messages, each behind its length in decimal and a line feed. stdout: for each a line of name=value fields with tabs
 * between. A field of errors names the header fields that Sofia-SIP refused.
 *
 * Build: cc $(pkg-config --cflags sofia-sip-ua) judge.c $(pkg-config --libs sofia-sip-ua)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su.h>
#include <sofia-sip/url.h>

static char const *text(char const *s) { return s ? s : ""; }

/* Lines, not values: of several values of one line only the first has a length. */
static unsigned lines(sip_t const *sip)
{
    unsigned count = 0;
    msg_header_t const *h = (msg_header_t const *)(sip->sip_request ? (void *)sip->sip_request : (void *)sip->sip_status);
    for (h = h ? h->sh_succ : NULL; h; h = h->sh_succ) {
        if ((msg_header_t const *)sip->sip_separator == h || (msg_header_t const *)sip->sip_payload == h) {
            break;
        }
        count += h->sh_len > 0;
    }
    return count;
}

static unsigned vias(sip_t const *sip)
{
    unsigned count = 0;
    for (sip_via_t const *via = sip->sip_via; via; via = via->v_next) {
        count++;
    }
    return count;
}

static void judge(char const *data, size_t length)
{
    msg_t *msg = msg_make(sip_default_mclass(), MSG_DO_EXTRACT_COPY, data, (ssize_t)length);
    sip_t *sip = msg ? sip_object(msg) : NULL;
    if (!sip || (!sip->sip_request && !sip->sip_status)) {
        printf("errors=unreadable\n");
        msg_destroy(msg);
        return;
    }
    printf("errors=");
    for (sip_error_t const *error = sip->sip_error; error; error = error->er_next) {
        printf("%s ", error->er_name ? error->er_name : "?");
    }
    if (MSG_HAS_ERROR(sip->sip_flags)) {
        printf("flagged ");
    }
    if (sip_sanity_check(sip) != 0) {
        printf("insane ");
    }
    if (sip->sip_request) {
        printf("\tstart=%s %s", sip->sip_request->rq_method_name, url_as_string(msg_home(msg), sip->sip_request->rq_url));
    } else {
        printf("\tstart=%d %s", sip->sip_status->st_status, text(sip->sip_status->st_phrase));
    }
    if (sip->sip_via) {
        printf("\tvia=%s %s%s%s %s", sip->sip_via->v_protocol, text(sip->sip_via->v_host), sip->sip_via->v_port ? ":" : "",
               text(sip->sip_via->v_port), text(sip->sip_via->v_branch));
    }
    printf("\tvias=%u", vias(sip));
    printf("\tfrom=%s", sip->sip_from ? text(sip->sip_from->a_tag) : "none");
    printf("\tto=%s", sip->sip_to ? text(sip->sip_to->a_tag) : "none");
    printf("\tcall-id=%s", sip->sip_call_id ? text(sip->sip_call_id->i_id) : "none");
    if (sip->sip_cseq) {
        printf("\tcseq=%lu %s", (unsigned long)sip->sip_cseq->cs_seq, text(sip->sip_cseq->cs_method_name));
    }
    if (sip->sip_content_length) {
        printf("\tlength=%lu", (unsigned long)sip->sip_content_length->l_length);
    }
    printf("\tbody=%lu", sip->sip_payload ? (unsigned long)sip->sip_payload->pl_len : 0UL);
    printf("\tlines=%u\n", lines(sip));
    msg_destroy(msg);
}

int main(void)
{
    size_t length;
    su_init();
    while (scanf("%zu", &length) == 1 && getchar() == '\n') {
        char *data = malloc(length + 1);
        if (!data || fread(data, 1, length, stdin) != length) {
            fprintf(stderr, "judge: a message is cut off\n");
            return 1;
        }
        data[length] = '\0';
        judge(data, length);
        free(data);
    }
    su_deinit();
    return 0;
}
