// Pays with a card over RabbitMQ, as docs/contract.md describes it. Needs amqp091-go and go-jose. AMQP_URL names the broker, CARD_KEYS
// the public keys of the processor: a file, or an address; its own is http://127.0.0.1:9090/.well-known/jwks.json.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"gopkg.in/square/go-jose.v2"
)

type card struct {
	Number      string `json:"number"`
	CVV         string `json:"cvv"`
	ExpiryMonth int    `json:"expiry_month"`
	ExpiryYear  int    `json:"expiry_year"`
}

type object map[string]any

// cardKey is the current one: the first of the set. Fetch it again now and then: keys change.
func cardKey(source string) jose.JSONWebKey {
	var text []byte
	if strings.HasPrefix(source, "https://") || strings.HasPrefix(source, "http://127.0.0.1:") {
		client := http.Client{Timeout: 30 * time.Second}
		answer := must(client.Get(source))
		defer answer.Body.Close()
		text = must(io.ReadAll(answer.Body))
	} else {
		text = must(os.ReadFile(source))
	}
	var set jose.JSONWebKeySet
	check(json.Unmarshal(text, &set))
	if len(set.Keys) == 0 {
		log.Fatal("there is no key to seal cards for")
	}
	return set.Keys[0]
}

// seal is the card, as an authorize carries it: nobody but the processor can read it, and only for this payment.
func seal(card card, payment string, key jose.JSONWebKey) string {
	recipient := jose.Recipient{Algorithm: jose.KeyAlgorithm(key.Algorithm), Key: key.Key, KeyID: key.KeyID}
	encrypter := must(jose.NewEncrypter(jose.A256GCM, recipient, nil))
	content := must(json.Marshal(object{"card": card, "payment_id": payment}))
	return must(must(encrypter.Encrypt(content)).CompactSerialize())
}

// newCommand makes everything that says which command it is. Keep it until its final reply: sent again, it takes effect once.
func newCommand(operation, payment string, body object) amqp.Publishing {
	return amqp.Publishing{
		Type: "payment." + operation + ".v1", MessageId: newUUID(), Body: must(json.Marshal(body)),
		ContentType: "application/json", DeliveryMode: amqp.Persistent,
		Headers: amqp.Table{"payment-id": payment, "idempotency-key": payment + "-" + operation},
	}
}

type client struct {
	connection      *amqp.Connection
	channel         *amqp.Channel
	queue           string
	replies, events <-chan amqp.Delivery
}

func connect() *client {
	c := &client{connection: must(amqp.Dial(os.Getenv("AMQP_URL"))), queue: "replies." + newUUID()}
	c.channel = must(c.connection.Channel())
	check(c.channel.Confirm(false))
	c.replies, c.events = c.listen(c.queue), c.listen(c.queue+".events")
	check(c.channel.QueueBind(c.queue+".events", "payment.#", prefix()+".events", false, nil))
	return c
}

func (c *client) listen(queue string) <-chan amqp.Delivery {
	must(c.channel.QueueDeclare(queue, false, true, true, false, nil))
	return must(c.channel.Consume(queue, "", true, true, false, false, nil))
}

// send returns when the broker has confirmed the command. On an error nobody knows, and it is sent again.
func (c *client) send(command amqp.Publishing) {
	command.ReplyTo = c.queue
	confirm := must(c.channel.PublishWithDeferredConfirmWithContext(
		context.Background(), prefix()+".commands", "", false, false, command))
	if !confirm.Wait() {
		log.Fatal("the broker refused the command")
	}
}

func take(deliveries <-chan amqp.Delivery, wanted func(amqp.Delivery, object) bool) object {
	limit := time.After(time.Minute)
	for {
		select {
		case delivery := <-deliveries:
			var message object
			check(json.Unmarshal(delivery.Body, &message))
			if wanted(delivery, message) {
				return message
			}
		case <-limit:
			log.Fatal("nothing came")
		}
	}
}

func (c *client) ask(command amqp.Publishing) object {
	c.send(command)
	return take(c.replies, func(delivery amqp.Delivery, reply object) bool {
		return delivery.CorrelationId == command.MessageId && reply["final"] == true
	})
}

func main() {
	payment := newUUID()
	sealed := seal(card{"4111111111111111", "123", 12, 2030}, payment, cardKey(os.Getenv("CARD_KEYS")))
	authorize := newCommand("authorize", payment, object{
		"order_id": "order-1", "customer_id": "customer-1", "amount": 5000, "currency": "USD", "sealed_card": sealed,
	})

	// The broker has it. Then this process dies, and its reply queue with it.
	c := connect()
	c.send(authorize)
	check(c.connection.Close())

	// The same command, under the same key: the outcome of the first, and no second payment.
	c = connect()
	fmt.Println("authorize", c.ask(authorize)["outcome"])
	fmt.Println("capture", c.ask(newCommand("capture", payment, object{}))["outcome"])
	event := take(c.events, func(_ amqp.Delivery, event object) bool {
		return event["payment_id"] == payment && event["event"] == "captured"
	})
	fmt.Println("captured at", event["occurred_at"])
	check(c.connection.Close())
}

func prefix() string {
	if prefix := os.Getenv("AMQP_PREFIX"); prefix != "" {
		return prefix
	}
	return "payments"
}

func newUUID() string {
	b := make([]byte, 16)
	must(rand.Read(b))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[Value any](value Value, err error) Value {
	check(err)
	return value
}
