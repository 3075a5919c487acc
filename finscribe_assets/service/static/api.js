// Shows the OpenAPI description of the service with Swagger UI, all of whose files come from the service itself.
"use strict";

SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", validatorUrl: null, deepLinking: true });
