// A registration by JAIN SIP (NIST): REGISTER, the answer to its challenge, and the final response, one line for each
// response. Exit status: 0 for a 200 that holds the contact, 1 for another final response, 2 for none, 3 for a failure here.
//
//   java Register SERVER PORT udp|tcp USER PASSWORD LOCAL-PORT CONTACT

import gov.nist.javax.sip.SipStackExt;
import gov.nist.javax.sip.clientauthutils.AccountManager;
import gov.nist.javax.sip.clientauthutils.AuthenticationHelper;
import gov.nist.javax.sip.clientauthutils.UserCredentials;
import java.util.ArrayList;
import java.util.List;
import java.util.ListIterator;
import java.util.Properties;
import javax.sip.ClientTransaction;
import javax.sip.DialogTerminatedEvent;
import javax.sip.IOExceptionEvent;
import javax.sip.ListeningPoint;
import javax.sip.RequestEvent;
import javax.sip.ResponseEvent;
import javax.sip.SipFactory;
import javax.sip.SipListener;
import javax.sip.SipProvider;
import javax.sip.SipStack;
import javax.sip.TimeoutEvent;
import javax.sip.TransactionTerminatedEvent;
import javax.sip.address.Address;
import javax.sip.address.AddressFactory;
import javax.sip.address.SipURI;
import javax.sip.header.ContactHeader;
import javax.sip.header.HeaderFactory;
import javax.sip.header.ViaHeader;
import javax.sip.header.WWWAuthenticateHeader;
import javax.sip.message.Request;
import javax.sip.message.Response;

public final class Register implements SipListener {
    /** How long all of it may take, in milliseconds. */
    private static final long LIMIT = 15_000;
    /** Challenges that are answered before a wrong password is given up. */
    private static final int ANSWERS_MAX = 1;

    private final SipProvider provider;
    private final AuthenticationHelper helper;
    private final String contact;
    private int answers = 0;

    private Register(SipProvider provider, AuthenticationHelper helper, String contact) {
        this.provider = provider;
        this.helper = helper;
        this.contact = contact;
    }

    public static void main(String[] arguments) throws Exception {
        String server = arguments[0];
        int port = Integer.parseInt(arguments[1]);
        String transport = arguments[2];
        String user = arguments[3];
        String password = arguments[4];
        int localPort = Integer.parseInt(arguments[5]);
        String contact = arguments[6];

        SipFactory factory = SipFactory.getInstance();
        Properties properties = new Properties();
        properties.setProperty("javax.sip.STACK_NAME", "register");
        properties.setProperty("gov.nist.javax.sip.TRACE_LEVEL", "0");
        SipStack stack = factory.createSipStack(properties);
        HeaderFactory headers = factory.createHeaderFactory();
        AddressFactory addresses = factory.createAddressFactory();

        ListeningPoint point = stack.createListeningPoint("127.0.0.1", localPort, transport);
        SipProvider provider = stack.createSipProvider(point);
        AccountManager accounts = (challenged, realm) -> new Credentials(user, password, realm);
        AuthenticationHelper helper = ((SipStackExt) stack).getAuthenticationHelper(accounts, headers);
        provider.addSipListener(new Register(provider, helper, contact));

        SipURI registrar = addresses.createSipURI(null, server);
        registrar.setPort(port);
        registrar.setTransportParam(transport);
        SipURI record = addresses.createSipURI(user, server);
        record.setPort(port);
        Address self = addresses.createAddress(record);
        List<ViaHeader> vias = new ArrayList<>();
        vias.add(headers.createViaHeader("127.0.0.1", localPort, transport, null));
        Request request = factory.createMessageFactory().createRequest(
            registrar, Request.REGISTER, provider.getNewCallId(), headers.createCSeqHeader(1L, Request.REGISTER),
            headers.createFromHeader(self, "register"), headers.createToHeader(self, null), vias,
            headers.createMaxForwardsHeader(70));
        request.addHeader(headers.createContactHeader(addresses.createAddress(addresses.createURI(contact))));
        request.addHeader(headers.createExpiresHeader(600));
        provider.getNewClientTransaction(request).sendRequest();

        Thread.sleep(LIMIT);
        end(2, "no final response");
    }

    @Override
    public void processResponse(ResponseEvent event) {
        Response response = event.getResponse();
        int status = response.getStatusCode();
        StringBuilder line = new StringBuilder().append(status).append(' ').append(response.getReasonPhrase());
        for (ListIterator<?> all = response.getHeaders(WWWAuthenticateHeader.NAME); all.hasNext();) {
            line.append(", ").append(((WWWAuthenticateHeader) all.next()).getAlgorithm());
        }
        System.out.println(line);
        try {
            if (status == 401 && answers++ < ANSWERS_MAX) {
                ClientTransaction asked = event.getClientTransaction();
                helper.handleChallenge(response, asked, provider, 5).sendRequest();
            } else if (status >= 200) {
                end(status == 200 && holdsContact(response) ? 0 : 1, "done");
            }
        } catch (Exception fault) {
            fault.printStackTrace();
            end(3, "a failure of its own");
        }
    }

    /** Whether the list of bindings has ours. */
    private boolean holdsContact(Response response) {
        for (ListIterator<?> all = response.getHeaders(ContactHeader.NAME); all.hasNext();) {
            if (((ContactHeader) all.next()).getAddress().getURI().toString().equals(contact)) {
                return true;
            }
        }
        System.out.println("no " + contact + " in the response");
        return false;
    }

    private static void end(int status, String why) {
        System.out.println(why);
        System.exit(status);
    }

    @Override
    public void processTimeout(TimeoutEvent event) {
        end(2, "the transaction ran out of time");
    }

    @Override
    public void processIOException(IOExceptionEvent event) {
        end(2, "the connection failed");
    }

    @Override
    public void processRequest(RequestEvent event) {}

    @Override
    public void processTransactionTerminated(TransactionTerminatedEvent event) {}

    @Override
    public void processDialogTerminated(DialogTerminatedEvent event) {}

    private static final class Credentials implements UserCredentials {
        private final String user;
        private final String password;
        private final String domain;

        Credentials(String user, String password, String domain) {
            this.user = user;
            this.password = password;
            this.domain = domain;
        }

        @Override
        public String getUserName() {
            return user;
        }

        @Override
        public String getPassword() {
            return password;
        }

        @Override
        public String getSipDomain() {
            return domain;
        }
    }
}
